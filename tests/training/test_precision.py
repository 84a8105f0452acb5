"""bf16 is another way to the same place: near in value, float32 outside, and a switch that is off."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from datasets.batches import Batch, FaceTensors
from platform.config import Configuration
from platform.training.loop import Precision, Training, score_faces, train_stage
from platform.training.seeding import torch_seeded


def net() -> nn.Module:
    with torch_seeded(0, "test"):
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.PReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2),
        )  # fmt: skip


def loss(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
    logits = module(batch.image)
    seen.append(logits.dtype)
    return {"loss": nn.functional.cross_entropy(logits, batch.labels)}


seen: list[torch.dtype] = []


def faces() -> FaceTensors:
    images = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    return FaceTensors(images, np.arange(12) % 2, None, "cpu")


def trained(precision: Precision, compiled: bool = False) -> tuple[nn.Module, list[dict[str, float]]]:
    module = net()
    training = Training(
        stage="stage2", constant_epochs=3, decay_epochs=1, batch_size=4, minimum_batch=1,
        betas=(0.5, 0.999), crop_size_pixels=14, augmentation="paper", seed=0, precision=precision,
        compiled=compiled,
    )  # fmt: skip
    groups = [{"params": list(module.parameters()), "lr": 1e-2}]
    return module, train_stage(module, groups, loss, faces(), training, report=lambda values: None)


def test_bf16_computes_in_bf16_and_keeps_weights_and_losses_in_float32() -> None:
    seen.clear()
    module, curve = trained("bf16")
    assert set(seen) == {torch.bfloat16}
    assert all(value.dtype == torch.float32 for value in module.parameters())
    _, exact_curve = trained("fp32")
    assert seen[-1] == torch.float32
    np.testing.assert_allclose(
        [epoch["loss"] for epoch in curve], [epoch["loss"] for epoch in exact_curve], rtol=0.05
    )
    assert [epoch["loss"] for epoch in curve] != [epoch["loss"] for epoch in exact_curve]


def test_scores_of_bf16_are_float32_and_near() -> None:
    module, _ = trained("fp32")
    scores = [
        score_faces(
            module, lambda one, batch: torch.softmax(one(batch.image).float(), 1), faces(),
            crop_size_pixels=14, batch_size=5, precision=precision,
        )
        for precision in ("fp32", "bf16")
    ]  # fmt: skip
    assert scores[1].dtype == torch.float32
    torch.testing.assert_close(scores[0], scores[1], atol=0.02, rtol=0)


def test_the_default_is_the_reference() -> None:
    assert Configuration.__dataclass_fields__["precision"].default == "fp32"
    assert Configuration.__dataclass_fields__["compiled"].default is False
