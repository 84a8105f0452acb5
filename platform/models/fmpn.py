"""Facial Motion Prior Networks (Chen et al., VCIP 2019): mask generator, prior fusion, classifier.

Reported accuracy with Inception v3, mean of ten folds: 98.06 % on CK+, 82.74 % on MMI.
    python -m platform.crossval --dataset ckplus --preset paper
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform.errors import UserError
from platform.models.artifact import Artifact, Brought, Content, Reach
from platform.models.masks.motion_masks import MotionMasks, masks_of
from platform.models.method import Settings
from platform.models.net_method import NetMethod
from platform.models.networks.weights import is_released
from platform.models.options.classification import ClassificationNet, CrossEntropy
from platform.models.options.configuration import Configuration
from platform.models.options.faces import Faces
from platform.models.options.fields import check_rule
from platform.models.options.optimisation import AdamMoments, LastStage, check_stage
from platform.models.options.presets import QUICK, SMOKE, Preset
from platform.models.shared_stage import SharedStage

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from datasets.batches import Batch, FaceTensors
    from datasets.masks.motion_masks import MaskSet


@dataclass(frozen=True, kw_only=True)
class MaskGeneratorNet(Configuration):
    """The mask generator and the start of the nets that the paper adds to the classifier."""

    generator_width: int = 64
    """Channels of the mask generator's first layer (the published net: 64)."""
    generator_blocks: int = 4
    """Residual blocks in the middle of the mask generator (the published net: 4)."""
    initialisation_gain: float = 0.02
    """Xavier gain of the mask generator and the prior fusion net; 0.02 in the released code. The first fused
    images are then an almost uniform gray and short training runs stay at chance, so fast presets use 1."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        check_rule(self, "initialisation_gain", 0 < self.initialisation_gain <= 10, "> 0 and <= 10")
        check_rule(self, "generator_width", 1 <= self.generator_width <= 1024, "1 to 1024")
        check_rule(self, "generator_blocks", 1 <= self.generator_blocks <= 64, "1 to 64")


@dataclass(frozen=True, kw_only=True)
class JointTraining(Configuration):
    """The mask generator's part in stage 2."""

    generator_learning_rate: float = 1e-5
    """Stage 2: learning rate of the mask generator."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        check_rule(self, "generator_learning_rate", 0 <= self.generator_learning_rate < 1e6, ">= 0 and < 1e6")


@dataclass(frozen=True, kw_only=True)
class Pretraining(Configuration):
    """Stage 1: the mask generator alone, always with Adam and the released schedule."""

    stage1_constant_epochs: int = 150
    """Stage 1 (mask generator alone): epochs at the initial learning rate."""
    stage1_decay_epochs: int = 150
    """Stage 1: epochs of linear decay; the rate of the last epoch is exactly 0, as in the released code."""
    stage1_batch_size: int = 32
    """Stage 1: images per step."""
    stage1_learning_rate: float = 1e-4
    """Stage 1: Adam's learning rate."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        check_stage(self, "stage1")
        check_rule(self, "stage1_learning_rate", 0 < self.stage1_learning_rate < 10, "> 0 and < 10")


@dataclass(frozen=True, kw_only=True)
class FmpnOptions(
    Pretraining,
    JointTraining,
    MaskGeneratorNet,
    CrossEntropy,
    ClassificationNet,
    LastStage,
    AdamMoments,
):
    """Options of FMPN: nets, both stages, and the weights of its two losses."""

    starts_from_release: ClassVar[bool] = True

    lambda_classification: float = 1.0
    """Stage 2: weight of the cross entropy (lambda_C)."""
    lambda_mask: float = 10.0
    """Stage 2: weight of the mask's mean squared error (lambda_G); paper 10, released code 0.1."""
    freeze_generator: bool = False
    """Stage 2: freeze the mask generator, batch-norm statistics included, as stage 1 left it."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group, or does not fit a released checkpoint."""
        for name in ("lambda_classification", "lambda_mask"):
            check_rule(self, name, 0 <= getattr(self, name) < 1e6, ">= 0 and < 1e6")
        if is_released(self.weights):
            self._check_released()

    def _check_released(self) -> None:
        """Pin a released checkpoint. UserError: unreadable, or settings of nets other than the release's."""
        from platform.models.released_checkpoint import (
            GENERATOR_BLOCKS,
            GENERATOR_WIDTH,
            check_released,
            pin_released,
        )

        for name, value in (
            ("backbone_width", 1),
            ("generator_width", GENERATOR_WIDTH),
            ("generator_blocks", GENERATOR_BLOCKS),
        ):
            rule = f"{value} with weights released:FILE, as published"
            check_rule(self, name, getattr(self, name) == value, rule)
        pinned = pin_released(self.weights)
        if pinned != self.weights:  # a new path: the only time that the file is read here
            check_released(pinned, self.backbone)
        object.__setattr__(self, "weights", pinned)


GENERATOR_QUICK: Preset = {
    "generator_width": 8,
    "initialisation_gain": 1.0,
    "generator_learning_rate": 1e-4,
}
"""The mask generator in the preset `quick`: a narrow net at ten times the paper's rate."""
GENERATOR_SMOKE: Preset = {**GENERATOR_QUICK, "generator_width": 2}


class Fmpn(NetMethod):
    """Stage 1 trains the mask generator on the fold's motion masks, stage 2 all three networks."""

    title = "FMPN"
    options = FmpnOptions
    presets: Mapping[str, Preset] = {
        "paper": {},
        "released": {"lambda_mask": 0.1},
        "quick": {
            **QUICK,
            **GENERATOR_QUICK,
            "stage1_constant_epochs": 2,
            "stage1_decay_epochs": 1,
            "stage1_learning_rate": 3e-3,
            "space": "quick",
        },
        "smoke": {
            **SMOKE,
            **GENERATOR_SMOKE,
            "stage1_constant_epochs": 1,
            "stage1_decay_epochs": 1,
            "stage1_learning_rate": 3e-3,
            "space": "quick",
        },
    }
    space = "fmpn"
    only_artifacts: tuple[type, ...] = (Pretraining,)
    starts_from_release = True

    def artifacts(self, options: Any) -> Mapping[str, Artifact]:
        return {"masks": MotionMasks(), "stage1": STAGE_1}

    def check_artifacts(self, options: Any, names: Collection[str], where: str) -> None:
        if "stage1" not in self.artifacts(options) or "stage1" in names:
            return
        if options.freeze_generator and not is_released(options.weights):
            raise UserError(
                f"freeze_generator keeps the mask generator of stage 1, but {where} would run without a "
                "stage 1 here; pass --freeze-generator no."
            )

    def build(self, settings: Settings, class_count: int) -> nn.Module:
        from platform.models.networks.classifier import Classifier
        from platform.models.networks.facial_motion_prior import FacialMotionPriorNetwork
        from platform.models.networks.mask_generator import MaskGenerator
        from platform.models.networks.prior_fusion import PriorFusion
        from platform.models.released_checkpoint import load_released

        starts_from_release = is_released(settings.weights)
        classifier = Classifier(
            settings.with_values(weights="none") if starts_from_release else settings, class_count
        )
        gain = settings.initialisation_gain
        generator = MaskGenerator(settings.generator_width, settings.generator_blocks, gain)
        if "stage1" in self.artifacts(settings) and settings.freeze_generator:
            generator.requires_grad_(False)
        fusion = PriorFusion(gain)
        if starts_from_release:
            load_released(
                settings.weights, generator, fusion, classifier.backbone, backbone=settings.backbone
            )
        return FacialMotionPriorNetwork(generator, fusion, classifier)

    def class_images(self, inputs: Mapping[str, Content], class_names: Sequence[str]) -> MaskSet | None:
        return masks_of(inputs["masks"], class_names) if "masks" in inputs else None

    def load_artifacts(self, module: nn.Module, inputs: Mapping[str, Content]) -> None:
        if "stage1" in inputs:
            module.get_submodule("mask_generator").load_state_dict(STAGE_1.state_of(inputs["stage1"]))

    def diagnostics(
        self,
        module: nn.Module,
        inputs: Mapping[str, Content],
        faces: FaceTensors,
        class_names: Sequence[str],
        training_counts: np.ndarray,
        *,
        crop_size_pixels: int,
        batch_size: int,
    ) -> dict[str, Any]:
        """Quality of the predicted masks, compared with trivial baselines."""
        from platform.models.fitted import Measured
        from platform.models.masks.distances import measure_masks
        from platform.models.masks.face_errors import MASK_QUALITY

        masks = self.class_images(inputs, class_names)
        if masks is None:
            return {}
        found = measure_masks(
            module.get_submodule("mask_generator"),
            STAGE_1.state_of(inputs["stage1"]) if "stage1" in inputs else None,
            faces,
            masks,
            crop_size_pixels=crop_size_pixels,
            batch_size=batch_size,
        )
        errors = found.errors(training_counts)
        return {MASK_QUALITY: Measured(fact=errors.quality().to_dict(), values=errors.values(class_names))}

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
        from torch.nn import functional

        from platform.models.networks.classification_loss import classification_loss

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
        scores: Tensor = module(batch.image, batch.gray)[2].float().softmax(1)
        return scores

    def pictures(self, module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        mask, fused, _ = module(batch.image, batch.gray)
        pictures = {"face": batch.image, "predicted mask": mask}
        if batch.target_mask is not None:
            pictures["target mask"] = batch.target_mask
        return {**pictures, "fused": fused}


@dataclass(frozen=True)
class Stage1(SharedStage):
    """The mask generator, trained alone with the mean squared error to each face's class mask."""

    name = "stage1"
    title = "stage 1"
    optional = True
    folder = "stage1"
    groups = (Configuration, Faces, AdamMoments, MaskGeneratorNet, Pretraining)
    rests_on = ("masks",)
    epoch_fields = ("stage1_constant_epochs", "stage1_decay_epochs")
    batch_field = "stage1_batch_size"
    weights_file = "mask_generator.safetensors"

    def record(self, reach: Reach) -> dict[str, Any]:
        return {
            "kind": "stage1",
            **reach.code,
            "config": dict(reach.config),
            "data": dict(reach.data),
            "train_subjects": reach.train_subjects,
            **reach.rests_on,
            **reach.training,
        }

    def brought_by(self, options: Any) -> Brought | None:
        if not is_released(options.weights):
            return None
        return Brought("weights released:FILE bring a mask generator", "pass --transfer masks")

    def build(self, settings: Any, class_count: int) -> nn.Module:
        from platform.models.networks.mask_generator import MaskGenerator

        return MaskGenerator(
            settings.generator_width, settings.generator_blocks, gain=settings.initialisation_gain
        )

    def parameter_groups(self, module: nn.Module, settings: Any) -> list[dict[str, Any]]:
        rate = settings.stage1_learning_rate
        return [{"params": list(module.parameters()), "lr": rate, "name": "mask_generator"}]

    def loss(self, module: nn.Module, batch: Batch, settings: Any) -> dict[str, Tensor]:
        from torch.nn import functional

        assert batch.target_mask is not None
        return {"loss": functional.mse_loss(module(batch.gray).float(), batch.target_mask)}

    def class_images(self, inputs: Mapping[str, Content], class_names: Sequence[str]) -> MaskSet | None:
        return masks_of(inputs["masks"], class_names)


STAGE_1 = Stage1()
METHOD = Fmpn()
