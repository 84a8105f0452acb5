"""Images counted by subject, the input of every interval and test over subjects.

Sizes: n images, S subjects. Counts are integers and subjects are sorted by name, so results do not depend on
the order of the images.
"""

from __future__ import annotations

import numpy as np


def check_images(subject: np.ndarray, **columns: np.ndarray) -> None:
    """Raise ValueError unless `subject` has n >= 1 entries and all `columns` are bool (n,).

    Floats are refused because a NaN would count as a correct image.
    """
    if not len(subject):
        raise ValueError("a statistic over subjects needs at least one image, got none")
    for name, column in columns.items():
        if column.dtype != np.bool_:
            raise ValueError(f"{name} must be bool, got {column.dtype}")
        if column.shape != subject.shape:
            raise ValueError(
                f"the same images are needed everywhere: {name} has {len(column)}, subject {len(subject)}"
            )


def subject_counts(correct: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """int64 (S, 2): correct images and images of each subject.

    correct: bool (n,). subject: str (n,). Raises ValueError as `check_images` does.
    """
    check_images(subject, correct=correct)
    names, group = np.unique(subject, return_inverse=True)
    right = np.bincount(group, weights=correct, minlength=len(names))
    return np.stack([right.astype(np.int64), np.bincount(group, minlength=len(names))], axis=1)
