"""Scored items made at random, for tests of metrics."""

from __future__ import annotations

import numpy as np

from platform.evaluation.predictions import Predictions
from platform.evaluation.scored_items import ScoredItems

CLASSES = ("anger", "fear", "happiness", "sadness")


def drawn_items(seed: int, *, subjects: int = 8, levels: int = 1000) -> ScoredItems:
    """20 items of each subject, 4 classes; probabilities are multiples of one part in `levels` before they
    are brought to a sum of 1, so that few levels give ties."""
    random = np.random.default_rng(seed)
    count = 20 * subjects
    true = np.tile(np.arange(4), count // 4)
    weights = 1.0 + random.integers(0, levels, (count, 4))
    weights[np.arange(count), true] += random.integers(0, levels, count)
    scores = weights / weights.sum(axis=1, keepdims=True)
    return ScoredItems(
        true=true,
        predicted=scores.argmax(axis=1),
        subject=np.repeat(np.arange(subjects), 20),
        scores=scores,
        class_names=CLASSES,
        subject_names=tuple(f"S{number:03d}" for number in range(subjects)),
    )


def taken(items: ScoredItems, chosen: np.ndarray) -> ScoredItems:
    """The chosen items, bool (n,), and the subjects who have any."""
    numbers, subject = np.unique(items.subject[chosen], return_inverse=True)
    return ScoredItems(
        true=items.true[chosen],
        predicted=items.predicted[chosen],
        subject=subject,
        scores=items.scores[chosen],
        class_names=items.class_names,
        subject_names=tuple(items.subject_names[number] for number in numbers),
    )


def drawn_predictions(seed: int, *, subjects: int = 8) -> Predictions:
    """The same as stored predictions; four images are a sequence."""
    items = drawn_items(seed, subjects=subjects)
    names = np.array(CLASSES)
    count = len(items)
    scores = items.scores.astype(np.float32)
    return Predictions(
        dataset=np.full(count, "synthetic"),
        fold=items.subject % 2,
        subject=np.array(items.subject_names)[items.subject],
        sequence=np.array([f"Q{number // 20:03d}_{number % 4}" for number in range(count)]),
        image=np.array([f"I{number:05d}" for number in range(count)]),
        true=names[items.true],
        predicted=names[scores.argmax(axis=1)],
        scores=scores,
        class_names=CLASSES,
    )
