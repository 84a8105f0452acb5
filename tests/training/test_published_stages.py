"""The preset `released` at a size for tests: what Adam is given, step by step (docs/methods.md, §2.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from datasets.folds.view import FoldView
from platform.config.configuration import Configuration, configuration_of, option_names
from platform.config.presets import preset
from tests.fmpn_stages import run_stage1, run_stage2
from tests.tiny_faces import SIZE, subject_names, tiny_store

SUBJECTS = 10
TRAIN = subject_names(SUBJECTS)[:9]  # 9 subjects x 6 faces = 54: 32 + 22, and 3 x 16 + 6
SMALL = {
    "backbone": "resnet18", "backbone_width": 0.0625, "weights": "none", "generator_width": 2,
    "load_size_pixels": SIZE, "image_size_pixels": 32, "stage1_constant_epochs": 2, "stage1_decay_epochs": 1,
    "stage2_constant_epochs": 2, "stage2_decay_epochs": 1,
}  # fmt: skip


@dataclass
class Recorded:
    """What one optimizer was made with, and saw at every step."""

    defaults: dict[str, Any]
    sizes: list[list[int]]
    """Elements of each parameter, by group."""
    rates: list[list[float]] = field(default_factory=list)
    """Of every step: each group's learning rate."""
    weights: list[torch.Tensor] = field(default_factory=list)
    """After every step: all parameters as one vector."""


@pytest.fixture
def optimizers(monkeypatch: pytest.MonkeyPatch) -> list[Recorded]:
    """Every Adam that is made while the test runs."""
    made: list[Recorded] = []

    class RecordingAdam(torch.optim.Adam):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            sizes = [[p.numel() for p in group["params"]] for group in self.param_groups]
            self.record = Recorded(defaults=dict(self.defaults), sizes=sizes)
            made.append(self.record)

        def step(self, closure: Any = None) -> Any:
            self.record.rates.append([float(group["lr"]) for group in self.param_groups])
            result = super().step(closure)
            parts = [p.detach().flatten() for group in self.param_groups for p in group["params"]]
            self.record.weights.append(torch.cat(parts).clone())
            return result

    monkeypatch.setattr(torch.optim, "Adam", RecordingAdam)
    return made


def released(**changes: Any) -> Configuration:
    names = option_names(changes.get("method", "fmpn"))
    values = {**preset("released"), **SMALL, **changes}
    return configuration_of(**{name: value for name, value in values.items() if name in names})


def view() -> FoldView:
    return FoldView(
        tiny_store(SUBJECTS),
        train_subjects=TRAIN,
        evaluation_subjects=subject_names(SUBJECTS)[9:],
        role="final",
    )


def stage1(configuration: Configuration) -> dict[str, torch.Tensor]:
    return run_stage1(view(), configuration).generator_state


def stage2(configuration: Configuration, state: dict[str, torch.Tensor] | None) -> None:
    run_stage2(view(), configuration, state)


def check_adam(record: Recorded) -> None:
    """Adam as released: betas (0.5, 0.999), no weight decay, no amsgrad, torch's epsilon."""
    assert record.defaults["betas"] == (0.5, 0.999)
    assert record.defaults["weight_decay"] == 0
    assert record.defaults["eps"] == 1e-8
    assert not record.defaults["amsgrad"]


def test_both_stages_step_as_released(optimizers: list[Recorded]) -> None:
    stage2(released(), stage1(released()))
    first, second = optimizers
    check_adam(first)
    check_adam(second)
    # Epochs 1, 2, 3 with 2 constant and 1 of decay: factors 1, 1/2 and exactly 0; 2 batches an epoch.
    assert first.rates == [[1e-4]] * 2 + [[0.5e-4]] * 2 + [[0.0]] * 2
    # 4 batches an epoch; the mask generator has a rate of its own, all else shares one.
    assert second.rates == [[1e-5, 1e-4]] * 4 + [[0.5e-5, 0.5e-4]] * 4 + [[0.0, 0.0]] * 4
    assert second.sizes[0] == first.sizes[0]
    assert sum(second.sizes[1]) > 377  # the prior fusion net and the classification net
    for record in optimizers:
        half = len(record.weights) * 2 // 3
        assert not torch.equal(record.weights[0], record.weights[half - 1])
        assert all(torch.equal(weights, record.weights[half - 1]) for weights in record.weights[half:])


def test_the_baseline_without_the_mask_loss_keeps_the_generators_rate(optimizers: list[Recorded]) -> None:
    stage2(released(method="cnn_no_mask_loss"), None)
    assert optimizers[0].rates[0] == [1e-5, 1e-4]


def test_the_cnn_baseline_trains_at_the_classifiers_rate(optimizers: list[Recorded]) -> None:
    stage2(released(method="cnn"), None)
    check_adam(optimizers[0])
    assert optimizers[0].rates == [[1e-4]] * 4 + [[0.5e-4]] * 4 + [[0.0]] * 4
