from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from platform.training.class_weights import balanced_image_weights


def test_by_hand() -> None:
    """Four images, two classes: 4 / (2 * 3) for the frequent one, 4 / (2 * 1) for the rare one."""
    weights = balanced_image_weights(np.array([0, 0, 2, 0]))
    assert weights.dtype == np.float32
    assert weights.tolist() == pytest.approx([2 / 3, 2 / 3, 2, 2 / 3])


@pytest.mark.parametrize("seed", range(3))
def test_they_are_scikit_learns_with_mean_1_and_the_same_sum_for_each_class(seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 7, 50)
    weights = balanced_image_weights(labels)
    np.testing.assert_allclose(weights, compute_sample_weight("balanced", labels), rtol=1e-6)
    assert weights.mean() == pytest.approx(1)
    sums = [weights[labels == label].sum() for label in np.unique(labels)]
    assert sums == pytest.approx([sums[0]] * len(sums))


def test_even_classes_weigh_1() -> None:
    assert balanced_image_weights(np.array([3, 1, 1, 3])).tolist() == [1.0] * 4
