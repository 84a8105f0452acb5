"""Images counted by subject: what every interval and test over subjects starts from.

Sizes: n images, S subjects. Counts are whole numbers and subjects come sorted by name, so nothing that is
made of them depends on the order of the images.
"""

from __future__ import annotations

import numpy as np


def check_images(subject: np.ndarray, **columns: np.ndarray) -> None:
    """Raise ValueError unless all are of one length n >= 1 and every one of `columns` is bool (n,).

    Bool, because a NaN in a float column would count as a correct image.
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


def paired_counts(first_correct: np.ndarray, second_correct: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """int64 (S, 3): images that the first method has right, that the second has right, and images.

    first_correct, second_correct: bool (n,), two methods on the same n images. subject: str (n,).
    Raises ValueError as `check_images` does.
    """
    check_images(subject, first_correct=first_correct, second_correct=second_correct)
    first = subject_counts(first_correct, subject)
    second = subject_counts(second_correct, subject)
    return np.stack([first[:, 0], second[:, 0], first[:, 1]], axis=1)
