"""The part of a row's predictions that paired tests use: five bytes an image or sequence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from platform.evaluation.predictions import Predictions


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedImages:
    """Which of its n images, or sequences, a row predicted correctly."""

    tested: str
    """Hash over data set, name, true class and subject of all images; rows with equal hashes are paired."""
    correct: np.ndarray
    """bool (n,), ordered by data set and image name."""
    subject: np.ndarray
    """int32 (n,): number of the image's subject."""


def paired_images(predictions: Predictions) -> PairedImages:
    """The images in an order that does not depend on the order of the folds."""
    order = np.lexsort((predictions.image, predictions.dataset))
    columns = [getattr(predictions, name)[order] for name in ("dataset", "image", "true", "subject")]
    text = "\n".join("\t".join(column.tolist()) for column in columns)
    _, subject = np.unique(columns[-1], return_inverse=True)
    return PairedImages(
        tested=hashlib.sha256(text.encode()).hexdigest(),
        correct=predictions.correct[order],
        subject=subject.astype(np.int32),
    )
