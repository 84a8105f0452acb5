"""Facial Motion Prior Networks (Chen et al., VCIP 2019): mask generator, prior fusion, classifier.

Reported accuracy with Inception v3, mean of ten folds: 98.06 % on CK+, 82.74 % on MMI.
    python -m platform.crossval --dataset ckplus --preset paper
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from platform.models.method import Method, Settings
from platform.models.networks.classification_loss import LOSS_FIELDS, classification_loss
from platform.models.networks.classifier import CLASSIFIER_FIELDS, Classifier
from platform.models.networks.mask_generator import MaskGenerator
from platform.models.networks.prior_fusion import PriorFusion
from platform.models.networks.weights import is_released
from platform.models.released_checkpoint import load_released

if TYPE_CHECKING:
    from datasets.batches import Batch


class FacialMotionPriorNetwork(nn.Module):
    """image [B, 3, S, S], gray [B, 1, S, S] -> (mask [B, 1, S, S], fused [B, 3, S, S], logits [B, K])."""

    def __init__(self, mask_generator: nn.Module, prior_fusion: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.mask_generator = mask_generator
        self.prior_fusion = prior_fusion
        self.classifier = classifier

    def forward(self, image: Tensor, gray: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mask = self.mask_generator(gray)
        fused = self.prior_fusion(image, mask * gray)
        return mask, fused, self.classifier(fused)


class Fmpn(Method):
    """Stage 1 trains the mask generator on the fold's motion masks, stage 2 all three networks."""

    title = "FMPN"
    fields: tuple[str, ...] = (
        *CLASSIFIER_FIELDS,
        *LOSS_FIELDS,
        "generator_width",
        "generator_blocks",
        "initialisation_gain",
        "classifier_learning_rate",
        "generator_learning_rate",
        "lambda_classification",
        "lambda_mask",
        "freeze_generator",
    )
    uses_masks = True
    pretrains_generator = True
    starts_from_release = True

    def build(self, settings: Settings, class_count: int) -> nn.Module:
        starts_from_release = is_released(settings.weights)
        classifier = Classifier(
            settings.with_values(weights="none") if starts_from_release else settings, class_count
        )
        gain = settings.initialisation_gain
        generator = MaskGenerator(settings.generator_width, settings.generator_blocks, gain)
        if self.pretrains_generator and settings.freeze_generator:
            generator.requires_grad_(False)
        fusion = PriorFusion(gain)
        if starts_from_release:
            load_released(
                settings.weights, generator, fusion, classifier.backbone, backbone=settings.backbone
            )
        return FacialMotionPriorNetwork(generator, fusion, classifier)

    def load_generator(self, module: nn.Module, state: Mapping[str, Tensor]) -> None:
        module.get_submodule("mask_generator").load_state_dict(dict(state))

    def mask_generator(self, module: nn.Module) -> nn.Module:
        return module.get_submodule("mask_generator")

    def parameter_groups(self, module: nn.Module, settings: Settings) -> list[dict[str, Any]]:
        generator = list(module.get_submodule("mask_generator").parameters())
        others = [
            p for name in ("prior_fusion", "classifier") for p in module.get_submodule(name).parameters()
        ]
        return [
            {"params": generator, "lr": settings.generator_learning_rate, "name": "mask_generator"},
            {"params": others, "lr": settings.classifier_learning_rate, "name": "classifier"},
        ]

    def loss(self, module: nn.Module, batch: Batch, settings: Settings) -> dict[str, Tensor]:
        mask, _, logits = module(batch.image, batch.gray)
        classification = classification_loss(logits, batch, settings)
        assert batch.target_mask is not None
        mask_error = functional.mse_loss(mask, batch.target_mask)
        return {
            "loss": settings.lambda_classification * classification + settings.lambda_mask * mask_error,
            "classification_loss": classification,
            "mask_loss": mask_error,
            "correct": (logits.argmax(1) == batch.labels).sum(),
        }

    def scores(self, module: nn.Module, batch: Batch) -> Tensor:
        return torch.softmax(module(batch.image, batch.gray)[2].float(), 1)

    def pictures(self, module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        mask, fused, _ = module(batch.image, batch.gray)
        pictures = {"face": batch.image, "predicted mask": mask}
        if batch.target_mask is not None:
            pictures["target mask"] = batch.target_mask
        return {**pictures, "fused": fused}


METHOD = Fmpn()
