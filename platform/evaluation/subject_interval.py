"""Interval over subjects of any statistic that is a smooth function of sums over subjects.

Examples: the mean of recalls (UAR), a class's F1, the Brier score, a mean error, the difference of two of
them. Sizes: R seeds, S subjects, K sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from platform.evaluation.accuracy_interval import Interval, clopper_pearson
from platform.evaluation.variance_parts import (
    equivalent_freedom,
    half_width,
    seeds_part,
    subjects_part,
    two_sided_p,
    unseen_part,
)

Statistic = Callable[[np.ndarray], np.ndarray]
"""Sums, float (..., K), to values, float (...); NaN where undefined."""

NUMBERS_AT_ONCE = 2**21
"""Sums held in memory at a time while subjects are deleted one by one (16 MiB)."""
ROUNDING = 1e-13
"""Below this part of the estimate, a subject's contribution is rounding of a zero."""


@dataclass(frozen=True, kw_only=True)
class StatisticInterval(Interval):
    """A statistic with its 95 % interval over subjects (and seeds)."""

    estimate: float
    """Mean over seeds."""
    standard_error: float
    freedom: float
    p_value: float
    """Two-sided, of the hypothesis that the statistic is zero: of use for differences. In [0, 1]."""
    subject_count: int
    seed_count: int


def subject_interval(
    sums: np.ndarray,
    statistic: Statistic,
    *,
    share: bool = False,
    limits: tuple[float, float] = (-math.inf, math.inf),
    confidence: float = 0.95,
) -> StatisticInterval | None:
    """Interval of statistic(sum over subjects), by deleting one subject at a time.

    sums: (S, K), or (R, S, K) for several seeds: each subject's own sums (images, correct images, cells of a
    confusion matrix, squared errors ...). statistic: see `Statistic`; it must accept leading axes.
    share: the statistic lies in [0, 1] as an accuracy does, and the interval is asymmetric near the ends (see
    `interval_of_influences`). limits: otherwise, the ends are kept within these.
    Returns None where there is nothing to say: one subject, or a subject without whom the statistic is
    undefined. Raises ValueError for a shape that does not fit, and where the statistic itself is undefined.

    A difference between two groups of subjects: 2 K sums, of which a subject fills its group's half.
    For a share of images (recall, precision) `seed_accuracy_interval` of those images is better: it knows
    how many images and subjects can be wrong.

    Source: the jackknife, Efron and Stein (1981), Annals of Statistics 9:586-596; Shao and Tu (1995), The
    Jackknife and Bootstrap, chapter 2. Assumes that subjects (and seeds) are independent draws, and a
    smooth statistic: not a median, not a maximum.
    """
    by_seed = np.asarray(sums, dtype=np.float64)
    by_seed = by_seed[None] if by_seed.ndim == 2 else by_seed
    if by_seed.ndim != 3 or not by_seed.size:
        raise ValueError(
            f"sums must have the shape (subjects, sums) or (seeds, subjects, sums): {sums.shape}"
        )
    # Sorted, so that the order of the seeds cannot change the last digit.
    of_seeds = np.sort(np.asarray(statistic(by_seed.sum(axis=1)), dtype=np.float64))
    if not np.isfinite(of_seeds).all():
        raise ValueError("the statistic is undefined for these images")
    if by_seed.shape[1] < 2:
        return None
    without = _without_each(by_seed, statistic)
    if not np.isfinite(without).all():
        return None
    influences = (by_seed.shape[1] - 1) / by_seed.shape[1] * (without.mean() - without)
    return interval_of_influences(of_seeds, influences, share=share, limits=limits, confidence=confidence)


def paired_subject_interval(
    first: np.ndarray,
    second: np.ndarray,
    statistic: Statistic,
    *,
    limits: tuple[float, float] = (-1.0, 1.0),
    confidence: float = 0.95,
) -> StatisticInterval | None:
    """Interval of the first method's statistic minus the second's, on the same subjects (and seeds).

    first, second: as `sums` of `subject_interval`, subjects (and seeds) in the same order. Returns, raises,
    source and assumptions as there.
    """
    if np.shape(first) != np.shape(second):
        raise ValueError(f"both need the same subjects and sums: {np.shape(first)}, {np.shape(second)}")
    count = np.shape(first)[-1]

    def difference(sums: np.ndarray) -> np.ndarray:
        return np.asarray(statistic(sums[..., :count])) - np.asarray(statistic(sums[..., count:]))

    both = np.concatenate([np.asarray(first), np.asarray(second)], axis=-1)
    return subject_interval(both, difference, limits=limits, confidence=confidence)


def interval_of_influences(
    of_seeds: np.ndarray,
    influences: np.ndarray,
    *,
    share: bool = False,
    limits: tuple[float, float] = (-math.inf, math.inf),
    confidence: float = 0.95,
) -> StatisticInterval:
    """Interval of a statistic whose linearisation is known (an area under a curve, say).

    of_seeds: float (R,), the statistic of each seed. influences: float (S,), S >= 2, what each subject
    contributes to the mean over seeds, summing to zero: estimate - mean is about their sum over new subjects.
    Raises ValueError with fewer than two subjects. Share: Clopper and Pearson's interval of as many
    independent images as would have this half-width at this estimate; see `accuracy_interval`.
    Where no subject contributes anything, `unseen_part` of all of them.
    Source: as `subject_interval`; Cochran (1977), Sampling Techniques, chapter 6; `half_width` for seeds.
    Assumes independent subjects (and seeds).
    """
    count = len(influences)
    if count < 2:
        raise ValueError(f"an interval over subjects needs two or more of them, got {count}")
    estimate = float(of_seeds.mean())
    settled = np.where(np.abs(influences) < ROUNDING * max(1.0, abs(estimate)), 0.0, influences)
    seeds = seeds_part(of_seeds)
    parts = [subjects_part(settled), *([] if seeds is None else [seeds])]
    if sum(part.variance for part in parts) == 0.0:
        parts = [unseen_part(count, 1.0)]
    width = half_width(parts, confidence)
    low, high = max(limits[0], estimate - width), min(limits[1], estimate + width)
    if share:
        low, high = _share_interval(estimate, width, count, confidence)
    return StatisticInterval(
        low=low,
        high=high,
        estimate=estimate,
        standard_error=math.sqrt(sum(part.variance for part in parts)),
        freedom=equivalent_freedom(parts, confidence),
        p_value=two_sided_p(parts, estimate),
        subject_count=count,
        seed_count=len(of_seeds),
    )


def _share_interval(estimate: float, width: float, subjects: int, confidence: float) -> tuple[float, float]:
    from scipy.special import ndtri

    inside = min(1.0, max(0.0, estimate))
    spread = inside * (1.0 - inside)
    normal = float(ndtri(1.0 - (1.0 - confidence) / 2.0))
    images = normal**2 * spread / width**2 if spread > 0.0 else float(subjects)
    return clopper_pearson(inside, images, confidence)


def _without_each(by_seed: np.ndarray, statistic: Statistic) -> np.ndarray:
    """float (S,): the statistic without each subject, mean over seeds. by_seed: float (R, S, K)."""
    seeds, subjects, sums = by_seed.shape
    total = by_seed.sum(axis=1)
    without = np.zeros(subjects)
    at_once = max(1, NUMBERS_AT_ONCE // sums)
    for start in range(0, subjects, at_once):
        stop = start + at_once
        values = [np.asarray(statistic(total[seed] - by_seed[seed, start:stop])) for seed in range(seeds)]
        without[start:stop] = np.sort(np.stack(values), axis=0).mean(axis=0)
    return without
