"""What is kept of a row's predictions for paired tests: five bytes an image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from platform.evaluation.predictions import Predictions


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """Which images a row answered rightly."""

    tested: str
    """Hash over data set, name, true class and subject of all images: rows can be paired if it is equal."""
    correct: np.ndarray
    """bool (n,), in the order of data set and image name."""
    subject: np.ndarray
    """int32 (n,): number of the image's subject."""


def answers_of(predictions: Predictions) -> Answers:
    """What paired tests need, in an order of its own: rows may list their folds in any order."""
    order = np.lexsort((predictions.image, predictions.dataset))
    columns = [getattr(predictions, name)[order] for name in ("dataset", "image", "true", "subject")]
    text = "\n".join("\t".join(column.tolist()) for column in columns)
    _, subject = np.unique(columns[-1], return_inverse=True)
    return Answers(
        tested=hashlib.sha256(text.encode()).hexdigest(),
        correct=predictions.correct[order],
        subject=subject.astype(np.int32),
    )
