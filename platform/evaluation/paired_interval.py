"""Bootstrap interval over subjects of the difference between two methods on the same images."""

from __future__ import annotations

import numpy as np

from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.subjects import paired_counts

RESAMPLES = 10_000
SUBJECTS_AT_ONCE = 2**21
"""Drawn subjects held in memory at a time (16 MiB an array)."""


def difference_interval(
    first_correct: np.ndarray,
    second_correct: np.ndarray,
    subject: np.ndarray,
    generator: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> Interval:
    """Interval of the first's pooled accuracy minus the second's, in [-1, 1].

    first_correct, second_correct: bool (n,), of the same images in the same order. subject: (n,).
    Percentile bootstrap: whole subjects are drawn with replacement, so that the images of a subject stay
    together and both methods are tested on the same subjects. Raises ValueError with fewer than two subjects.
    Source: Davison and Hinkley (1997), Bootstrap Methods and Their Application, sections 3.8 and 5.3.
    Assumes that subjects are independent draws from the target population. Excludes the variation of
    training (seeds).
    """
    counts = paired_counts(first_correct, second_correct, subject)
    if len(counts) < 2:
        raise ValueError(f"a bootstrap over subjects needs two or more of them, got {len(counts)}")
    gained, images = counts[:, 0] - counts[:, 1], counts[:, 2]
    differences = np.empty(resamples)
    at_once = max(1, SUBJECTS_AT_ONCE // len(counts))
    for start in range(0, resamples, at_once):
        part = differences[start : start + at_once]
        drawn = generator.integers(len(counts), size=(len(part), len(counts)))
        part[:] = gained[drawn].sum(axis=1) / images[drawn].sum(axis=1)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(differences, [tail, 1.0 - tail])
    return Interval(low=float(low), high=float(high))
