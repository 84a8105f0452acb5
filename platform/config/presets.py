"""Presets: named starting points, each derived from another. Flags and YAML files change them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from platform.errors import unknown_name

Preset = dict[str, Any]
"""Field names of Configuration and Plan to values; absent fields keep their defaults."""


def paper() -> Preset:
    """FMPN as published: 299 px, 300 + 200 epochs, Inception v3 with ImageNet weights, lambda_G 10."""
    return {"space": "fmpn"}


def released() -> Preset:
    """As `paper`, with the released code's lambda_G of 0.1."""
    return {**paper(), "lambda_mask": 0.1}


def quick() -> Preset:
    """The same code scaled down to minutes on two cores: 48 px, narrow nets, few epochs.

    Learning rates are ten times the paper's, with Adam's usual momentum and no augmentation, because training
    has a hundred times fewer steps: our choice, measured on the synthetic set (docs/log.md). The net's input
    is enlarged to the 75 px that Inception needs.
    """
    return {
        **paper(),
        "space": "quick",
        "holdout_share": 0.25,
        "weights": "none",
        "backbone_width": 0.125,
        "augmentation": "none",
        "generator_width": 8,
        "initialisation_gain": 1.0,
        "load_size_pixels": 52,
        "image_size_pixels": 48,
        "enlarge_below_pixels": 75,
        "stage1_constant_epochs": 2,
        "stage1_decay_epochs": 1,
        "stage1_learning_rate": 3e-3,
        "stage2_constant_epochs": 3,
        "stage2_decay_epochs": 2,
        "classifier_learning_rate": 1e-3,
        "generator_learning_rate": 1e-4,
        "adam_beta1": 0.9,
        "trials": 5,
        # Two: a round of three fold runs leaves one of two slots idle for the other trial.
        "trials_in_flight": 2,
    }


def smoke() -> Preset:
    """The smallest run that exercises every step, for tests. Its numbers are meaningless."""
    return {
        **quick(),
        "backbone_width": 0.0625,
        "generator_width": 2,
        "load_size_pixels": 34,
        "image_size_pixels": 32,
        "stage1_constant_epochs": 1,
        "stage1_decay_epochs": 1,
        "stage2_constant_epochs": 1,
        "stage2_decay_epochs": 1,
        "stage2_batch_size": 64,
        "trials": 3,
    }


PRESETS: dict[str, Callable[[], Preset]] = {
    function.__name__: function for function in (paper, released, quick, smoke)
}


def preset(name: str) -> Preset:
    """The preset of that name; UserError lists the known ones."""
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]()
