"""A number of pooled predictions, and the same number without each of the subjects."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.subject_interval import interval_of_influences


@dataclass(frozen=True, kw_only=True, eq=False)
class Statistic:
    """A value, and what it would be without each of S subjects."""

    value: float
    without: np.ndarray
    """float64 (S,); NaN where it would be undefined."""


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> Statistic | None:
    """The ratio of two sums over subjects, each float64 (S,); None where the denominator is 0."""
    total = denominator.sum()
    if total == 0.0:
        return None
    rest = total - denominator
    without = np.divide(numerator.sum() - numerator, rest, out=np.full(len(rest), np.nan), where=rest != 0.0)
    return Statistic(value=float(numerator.sum() / total), without=without)


def mean_of(parts: Sequence[Statistic | None]) -> Statistic | None:
    """The unweighted mean of those that are defined, also without a subject; None without one."""
    found = [one for one in parts if one is not None]
    if not found:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # one subject: the mean of nothing is NaN
        without = np.nanmean([one.without for one in found], axis=0)
    return Statistic(value=float(np.mean([one.value for one in found])), without=without)


def statistic_interval(
    statistic: Statistic, *, share: bool, limits: tuple[float, float] = (0.0, 1.0)
) -> Interval | None:
    """95 % CI over subjects; None with one subject, or where the value needs one of them.

    share: the value lies in [0, 1] as an accuracy does. limits: otherwise, of the value. The jackknife:
    method, source and assumptions of `subject_interval.subject_interval`. Linearisation is too narrow where
    few subjects show a class (docs/statistics.md).
    """
    count = len(statistic.without)
    if count < 2 or not np.isfinite(statistic.without).all():
        return None
    influences = (count - 1) / count * (statistic.without.mean() - statistic.without)
    found = interval_of_influences(np.array([statistic.value]), influences, share=share, limits=limits)
    return Interval(low=found.low, high=found.high)
