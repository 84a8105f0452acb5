"""Values of the shared groups in the presets that every method has; a method adds those of its own fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Preset = Mapping[str, Any]
"""Option names to values; absent options keep their defaults. `space` may name a search space."""

QUICK: Preset = {
    "backbone": "resnet18",
    "weights": "none",
    "backbone_width": 0.25,
    "augmentation": "none",
    "load_size_pixels": 52,
    "image_size_pixels": 48,
    "enlarge_below_pixels": 75,
    "stage2_constant_epochs": 3,
    "stage2_decay_epochs": 2,
    "classifier_learning_rate": 1e-3,
    "adam_beta1": 0.9,
}
"""Minutes on two cores: 48 px, narrow nets, few epochs.

Learning rates are ten times the paper's, with Adam's usual momentum and no augmentation, because training
has a hundred times fewer steps: our choice, measured on the synthetic set (docs/log.md). ResNet-18 learns in
so few epochs, in which the paper's Inception stays at chance. The net's input is enlarged to 75 px, which
suits ResNet's early strides and which Inception needs if it is asked for.
"""

SMOKE: Preset = {
    **QUICK,
    "backbone_width": 0.0625,
    "load_size_pixels": 34,
    "image_size_pixels": 32,
    "stage2_constant_epochs": 1,
    "stage2_decay_epochs": 1,
    "stage2_batch_size": 64,
}
"""The smallest run that exercises every step, for tests. Its numbers are meaningless."""
