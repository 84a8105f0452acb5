"""Mirror images of action unit intensities and of drawn faces."""

from __future__ import annotations

import numpy as np

from datasets.synthetic.action_units import MIRRORED_LANDMARKS, Intensities


def mirrored_intensities(intensities: Intensities) -> dict[int, tuple[float, float]]:
    return {number: (right, left) for number, (left, right) in intensities.items()}


def mirrored_face(image: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mirrored image, with its 68 landmarks renumbered."""
    flipped = landmarks[MIRRORED_LANDMARKS].copy()
    flipped[:, 0] = image.shape[1] - 1 - flipped[:, 0]
    return np.ascontiguousarray(image[:, ::-1]), flipped
