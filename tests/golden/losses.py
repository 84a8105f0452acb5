"""Losses of the first five steps of both stages, tiny, on one CPU thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from datasets.folds.view import FoldView
from platform.config.configuration import Configuration, configuration_of, option_names
from platform.models import load_method
from tests.fmpn_stages import run_stage1, run_stage2
from tests.tiny_faces import tiny_settings, tiny_store

CASES: dict[str, dict[str, Any]] = {
    "fmpn": {},
    "cnn": {"method": "cnn"},
    "cnn, inception_v3": {
        "method": "cnn",
        "backbone": "inception_v3",
        "enlarge_below_pixels": 75,
        "classifier_learning_rate": 1e-6,  # of larger steps, this deep a net makes more of the last bits
    },
    "cnn_no_mask_loss": {"method": "cnn_no_mask_loss"},
    "preactresnet18": {
        "method": "preactresnet18",
        "amsgrad": True,
        "schedule": "step",
        "step_epochs": 2,
        "stage2_batch_size": 12,  # all faces
        "drop_last": True,
    },
}
"""Name to what differs from the smallest settings. Not FMPN with Inception: at first its fused face is
nearly plain, and Inception's batch norms blow the last bits up to 0.4 % of the loss."""


def golden_losses() -> dict[str, list[float]]:
    """Case and stage to the losses before each of five steps."""
    losses: dict[str, list[float]] = {}
    with _one_thread():
        for name, changes in CASES.items():
            losses |= _losses(name, _configuration(**changes))
    return losses


def _configuration(**changes: object) -> Configuration:
    # One batch holds all faces, so an epoch is a step; the fifth has rate 0 and changes nothing.
    schedule = {
        f"{stage}_{name}": value
        for stage in ("stage1", "stage2")
        for name, value in (("constant_epochs", 3), ("decay_epochs", 2), ("batch_size", 64))
    }
    rates = {"classifier_learning_rate": 3e-4, "generator_learning_rate": 3e-5}
    method = str(changes.get("method", "fmpn"))
    values = {**tiny_settings(), **schedule, **rates, **changes}
    return configuration_of(**{name: value for name, value in values.items() if name in option_names(method)})


def _losses(name: str, configuration: Configuration) -> dict[str, list[float]]:
    view = FoldView(tiny_store(3), train_subjects=["S01", "S02"], evaluation_subjects=["S03"], role="final")
    losses: dict[str, list[float]] = {}
    state = None
    if "stage1" in load_method(configuration.method).artifacts(configuration):
        first = run_stage1(view, configuration)
        losses[f"{name}: stage 1"] = [epoch["loss"] for epoch in first.curve]
        state = first.generator_state
    second = run_stage2(view, configuration, state)
    losses[f"{name}: stage 2"] = [epoch["loss"] for epoch in second.curve]
    return losses


@contextmanager
def _one_thread() -> Iterator[None]:
    """As a fold run computes (platform/runs/execute.py), and as it was before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
