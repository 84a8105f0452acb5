"""Calibration of class scores that are probabilities: expected calibration error, Brier score, bins.

Only probabilities can be calibrated: for other scores `not_probabilities` says why there is no number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from platform.evaluation.scored_items import ScoredItems
from platform.evaluation.statistic import Statistic, ratio

BINS = 15
"""Equal-width bins of the confidence, as in Guo et al. (2017), so that rows, folds and papers share them."""
SUM_TOLERANCE = 1e-3
"""How far the probabilities of one item may be from a sum of 1; as where a fold run ends."""

DECLARED = "the method says that its scores are no probabilities"
"""Reason of a method with `Method.probabilities` false."""


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """The items whose confidence lies in one bin, which may be none."""

    low: float
    """Exclusive, except in the first bin."""
    high: float
    """Inclusive."""
    count: int
    mean_confidence: float | None
    """Mean score of the predicted class, in [0, 1]; None in an empty bin."""
    accuracy: float | None
    """Share of correct items; None in an empty bin."""


def not_probabilities(scores: np.ndarray) -> str:
    """Why the scores, float (n, K), are no probabilities; empty where they are."""
    if not ((scores >= 0.0) & (scores <= 1.0)).all():
        return "class scores are not all in [0, 1]"
    if len(scores) and not np.allclose(scores.sum(axis=1), 1.0, atol=SUM_TOLERANCE):
        return "the class scores of an item do not sum to 1"
    if ((scores == 0.0) | (scores == 1.0)).all():
        return "every class score is 0 or 1: decisions without probabilities"
    return ""


def confidence(items: ScoredItems) -> np.ndarray:
    """float64 (n,): the score of the predicted class, which is the highest one."""
    highest: np.ndarray = items.scores.max(axis=1)
    return highest


def bin_numbers(confidences: np.ndarray) -> np.ndarray:
    """int64 (n,): the bin of each confidence; its upper end belongs to a bin, so 1 lies in the last one."""
    edges = np.arange(1, BINS) / BINS
    return np.searchsorted(edges, confidences, side="left")


def reliability_bins(items: ScoredItems) -> tuple[ReliabilityBin, ...]:
    """The BINS bins, from low to high confidence."""
    sure = confidence(items)
    number = bin_numbers(sure)
    counts = np.bincount(number, minlength=BINS)
    sums = np.bincount(number, weights=sure, minlength=BINS)
    right = np.bincount(number, weights=items.correct, minlength=BINS)
    return tuple(
        ReliabilityBin(
            low=index / BINS,
            high=(index + 1) / BINS,
            count=int(counts[index]),
            mean_confidence=float(sums[index] / counts[index]) if counts[index] else None,
            accuracy=float(right[index] / counts[index]) if counts[index] else None,
        )
        for index in range(BINS)
    )


def expected_calibration_error(items: ScoredItems) -> float:
    """Mean over items of the distance between the accuracy and the mean confidence of their bin, in [0, 1].

    It is never negative, so chance alone makes it positive: by 0.15 with 6 subjects and 0.06 with 31 for a
    method that is nearly calibrated, where an interval by linearisation covered the truth in 56 and 67 % of
    the cases (docs/statistics.md). It has therefore no interval; `overconfidence` has one. Source: Naeini,
    Cooper and Hauskrecht (2015), AAAI 29:2901-2907; Guo et al. (2017), ICML, PMLR 70:1321-1330.
    """
    sure = confidence(items)
    gaps = np.bincount(bin_numbers(sure), weights=items.correct - sure, minlength=BINS)
    return float(np.abs(gaps).sum() / len(items))


def overconfidence(items: ScoredItems) -> Statistic:
    """Mean confidence minus accuracy, in [-1, 1]; positive for a method that is surer than it is right."""
    found = ratio(items.by_subject(confidence(items) - items.correct), items.by_subject(np.ones(len(items))))
    assert found is not None, "there are items"
    return found


def brier_score(items: ScoredItems) -> Statistic:
    """Mean over items of the squared distance between probabilities and truth, in [0, 2]; 0 is best.

    Source: Brier (1950), Monthly Weather Review 78:1-3, over all classes.
    """
    distance = ((items.scores - items.indicators) ** 2).sum(axis=1)
    found = ratio(items.by_subject(distance), items.by_subject(np.ones(len(items))))
    assert found is not None, "there are items"
    return found
