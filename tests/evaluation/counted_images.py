"""Images made from counts, for the tests of intervals and of tests over subjects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def images_of(counts: Sequence[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """correct (n,) and subject (n,) for subjects with (correct, total) images."""
    correct = np.concatenate([np.arange(total) < right for right, total in counts])
    subject = np.repeat([f"S{index:03d}" for index in range(len(counts))], [total for _, total in counts])
    return correct, subject


def paired_images_of(differences: Sequence[int], total: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """first (n,), second (n,) and subject (n,): subjects of `total` images, one method right on d more."""
    first, subject = images_of([(max(difference, 0), total) for difference in differences])
    second, _ = images_of([(max(-difference, 0), total) for difference in differences])
    return first, second, subject
