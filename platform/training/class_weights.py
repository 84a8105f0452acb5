"""Loss weights of training images that balance the classes."""

from __future__ import annotations

import numpy as np


def balanced_image_weights(labels: np.ndarray) -> np.ndarray:
    """labels int [n] -> float32 [n]: n / (classes present * images of the image's class).

    Every class has the same total weight, and the mean over all images is 1: scikit-learn's
    `class_weight="balanced"`.
    """
    classes, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
    weights = len(labels) / (len(classes) * counts)
    return weights[place].astype(np.float32)
