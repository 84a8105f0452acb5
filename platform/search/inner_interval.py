"""Confidence interval of a trial's score over its validation subjects."""

from __future__ import annotations

import numpy as np

from platform.evaluation.accuracy_interval import Interval
from platform.search.inner_scores import InnerScores

RESAMPLES = 2000
SEED = 0


def inner_interval(scores: InnerScores) -> Interval | None:
    """95 % percentile bootstrap interval of `mean_of_steps`, resampling subjects with all their images.

    A subject that validates in several folds is drawn once for all of them, because folds that share
    subjects are not independent. Steps without a drawn subject do not enter that resample's mean. The
    interval covers neither the variance between training seeds nor the selection of the best of many trials:
    it is shown while a search runs and never reported as a result. None with fewer than two subjects or if
    all subjects have the same accuracy, because resampling is then uninformative.
    """
    subjects = sorted({subject for counts in scores.steps.values() for subject in counts})
    if len(subjects) < 2:
        return None
    place = {subject: index for index, subject in enumerate(subjects)}
    right = np.zeros((len(subjects), len(scores.steps)))
    total = np.zeros_like(right)
    for column, counts in enumerate(scores.steps.values()):
        for subject, (correct, images) in counts.items():
            right[place[subject], column], total[place[subject], column] = correct, images
    generator = np.random.default_rng(SEED)
    drawn = generator.multinomial(len(subjects), np.full(len(subjects), 1 / len(subjects)), RESAMPLES)
    drawn_images = drawn @ total  # [RESAMPLES, steps]
    nowhere = np.full_like(drawn_images, np.nan)
    accuracy = np.divide(drawn @ right, drawn_images, out=nowhere, where=drawn_images > 0)
    low, high = np.quantile(np.nanmean(accuracy, axis=1), (0.025, 0.975))
    return Interval(low=float(low), high=float(high)) if high - low > 1e-9 else None
