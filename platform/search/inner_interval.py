"""How sure a search may be of its best score: an interval over the validation subjects."""

from __future__ import annotations

import numpy as np

from platform.evaluation.statistics import Interval
from platform.search.inner_scores import InnerScores

RESAMPLES = 2000
SEED = 0


def inner_interval(scores: InnerScores) -> Interval | None:
    """95 % percentile interval of `mean_of_steps`; subjects are drawn, with all their images.

    A subject that validates in several folds is drawn once for all of them: folds that share subjects
    are not independent. A step without a drawn subject is left out of that resample's mean. It does not
    contain the variance between training seeds, nor that the best of many trials was picked, so
    it is for the display of a running search, never for a result. None with fewer than two subjects, and
    where all score alike: drawing them again says nothing then.
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
