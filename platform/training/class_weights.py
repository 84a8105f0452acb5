"""How much each training image counts, so that rare classes count as much as frequent ones."""

from __future__ import annotations

import numpy as np


def balanced_image_weights(labels: np.ndarray) -> np.ndarray:
    """labels int [n] -> float32 [n]: n / (classes present * images of the image's class).

    The weights of each class add up to the same, and their mean over all images is 1: scikit-learn's
    `class_weight="balanced"`.
    """
    classes, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = len(labels) / (len(classes) * counts)
    return weights[place].astype(np.float32)
