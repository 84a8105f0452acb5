from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from datasets.batches import Batch
from platform.models.method import Settings
from platform.models.networks.classification_loss import classification_loss

LOGITS = torch.tensor([[3.0, 1.0], [3.0, 1.0]]).log()
"""Probabilities 3/4 and 1/4 for both images, whose labels are 0 and 1."""
RIGHT, WRONG = -math.log(3 / 4), -math.log(1 / 4)


def loss(smoothing: float = 0.0, weights: list[float] | None = None) -> float:
    batch = Batch(
        image=torch.zeros(2, 3, 4, 4),
        gray=torch.zeros(2, 1, 4, 4),
        target_mask=None,
        labels=torch.tensor([0, 1]),
        image_weights=None if weights is None else torch.tensor(weights),
    )
    values = {"label_smoothing": smoothing}
    value: Tensor = classification_loss(LOGITS, batch, Settings(values, values))
    return float(value)


@pytest.mark.parametrize(
    ("smoothing", "weights", "expected"),
    [
        (0.0, None, (RIGHT + WRONG) / 2),
        (0.0, [1.0, 1.0], (RIGHT + WRONG) / 2),
        (0.0, [0.5, 1.5], (0.5 * RIGHT + 1.5 * WRONG) / 2),
        (0.0, [0.5, 0.5], (0.5 * RIGHT + 0.5 * WRONG) / 2),  # over images, not over the sum of weights
        # A fifth of the target is spread over both classes: 0.9 and 0.1 are left.
        (0.2, None, (0.9 * RIGHT + 0.1 * WRONG + 0.9 * WRONG + 0.1 * RIGHT) / 2),
        (0.2, [2.0, 0.0], (2 * (0.9 * RIGHT + 0.1 * WRONG)) / 2),
    ],
)
def test_by_hand(smoothing: float, weights: list[float] | None, expected: float) -> None:
    assert loss(smoothing, weights) == pytest.approx(expected, rel=1e-6)
