"""bf16 is another way to the same place: near in value, float32 outside, and a switch that is off."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from datasets.batches import Batch, FaceTensors
from platform.config.configuration import Configuration, to_dict
from platform.models import load_method
from platform.models.player import Player
from platform.runs.execute import _prepare_process
from platform.runs.planned_tasks import Machine
from platform.training.face_items import FaceItems
from platform.training.loop import train_stage
from platform.training.precision import autocast
from platform.training.seeding import torch_seeded
from platform.training.stage_settings import Precision, Training
from tests.tiny_faces import tiny_configuration


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


def items() -> FaceItems:
    images = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    faces = FaceTensors(images, np.arange(12) % 2, None, "cpu")
    return FaceItems(faces, augmentation="paper", crop_size_pixels=14)


def trained(precision: Precision, compiled: bool = False) -> tuple[nn.Module, list[dict[str, float]]]:
    module = net()
    training = Training(
        stage="stage2", constant_epochs=3, decay_epochs=1, batch_size=4, minimum_batch=1,
        betas=(0.5, 0.999), seed=0, precision=precision,
        compiled=compiled,
    )  # fmt: skip
    players = [Player(groups=[{"params": list(module.parameters()), "lr": 1e-2}], loss=loss)]
    return module, train_stage(module, players, items(), training, report=lambda values: None)


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


def test_the_mask_and_the_fused_face_are_float32_in_every_precision() -> None:
    method = load_method("fmpn")
    settings = method.settings(to_dict(tiny_configuration(precision="bf16")))
    module = method.build(settings, 3).eval()
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), autocast(torch.device("cpu"), "bf16"):
        mask, fused, logits = module(image, image[:, :1])
        exact = module.get_submodule("prior_fusion")(image, mask * image[:, :1])
    assert (mask.dtype, fused.dtype, logits.dtype) == (torch.float32, torch.float32, torch.bfloat16)
    with torch.no_grad():
        assert torch.equal(fused, module.get_submodule("prior_fusion")(image, mask * image[:, :1]))
    assert torch.equal(fused, exact)


def test_the_default_is_the_reference() -> None:
    assert Configuration.__dataclass_fields__["precision"].default == "fp32"
    assert Configuration.__dataclass_fields__["compiled"].default is False


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_tf32_is_on_only_where_it_is_asked_for(precision: Precision) -> None:
    """In every step of training; afterwards the process is as it was."""
    backends = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [backend.allow_tf32 for backend in backends]
    inside: list[bool] = []

    def noted(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        inside.extend(backend.allow_tf32 for backend in backends)
        return loss(module, batch)

    module = net()
    training = Training(
        stage="stage2", constant_epochs=1, decay_epochs=0, batch_size=12, minimum_batch=1,
        betas=(0.5, 0.999), seed=0, precision=precision,
    )  # fmt: skip
    players = [Player(groups=[{"params": list(module.parameters()), "lr": 1e-2}], loss=noted)]
    train_stage(module, players, items(), training, report=lambda values: None)
    assert inside == [precision == "tf32"] * 2
    assert [backend.allow_tf32 for backend in backends] == before


def test_a_process_that_computes_fold_runs_scores_without_tf32() -> None:
    backends = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [backend.allow_tf32 for backend in backends]
    threads, deterministic = torch.get_num_threads(), torch.backends.cudnn.deterministic
    try:
        backends[1].allow_tf32 = True
        _prepare_process(1)
        assert [backend.allow_tf32 for backend in backends] == [False, False]
    finally:
        for backend, value in zip(backends, before, strict=True):
            backend.allow_tf32 = value
        torch.set_num_threads(threads)
        torch.backends.cudnn.deterministic = deterministic


def test_on_a_cpu_tf32_changes_no_bit() -> None:
    exact, same = trained("fp32"), trained("tf32")
    assert [epoch["loss"] for epoch in exact[1]] == [epoch["loss"] for epoch in same[1]]


def test_only_runs_on_gpus_have_another_identity_since_fp32_is_ieee() -> None:
    assert Machine().to_dict() == {"device": "cpu", "cpu_threads": 1, "train_workers": 0}
    assert Machine(device="cuda").to_dict()["float32"] == "ieee"
