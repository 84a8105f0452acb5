"""Metrics beyond accuracy, with intervals over subjects: of a row's images, or of its sequences.

A metric is one entry of UNIT_METRICS. `measures` computes all of them for the items that a method scores, and
again for the sequences that images belong to; `platform.tables.columns` makes the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from platform.evaluation.accuracy_interval import Interval, accuracy_interval
from platform.evaluation.calibration import (
    ReliabilityBin,
    bin_numbers,
    brier_score,
    confidence,
    expected_calibration_error,
    overconfidence,
    reliability_bins,
)
from platform.evaluation.class_statistics import ClassStatistics, class_statistics
from platform.evaluation.scored_items import ScoredItems
from platform.evaluation.statistic import Statistic, statistic_interval
from platform.evaluation.worst_subjects import worst_tenth_accuracy


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number with its interval."""

    value: float
    interval: Interval | None
    """95 % CI over subjects; None with one subject, and for a number that has none."""


@dataclass(frozen=True, kw_only=True)
class UnitMetric:
    """A number of a row's images or sequences, and the column that shows it."""

    key: str
    """Of the column."""
    heading: str
    definition: str
    """One sentence below the table."""
    compute: Callable[[ScoredItems, ClassStatistics], Statistic | float | None]
    """A float has no interval; None where the number is undefined."""
    percent: bool = False
    """Whether people read it as a percentage of a share in [0, 1]; else with three decimals."""
    share: bool = False
    """Whether it lies in [0, 1] as an accuracy does, so that its interval is asymmetric near the ends."""
    limits: tuple[float, float] = (0.0, 1.0)
    """Smallest and largest possible value."""
    has_interval: bool = True
    """False for a number that has none by its nature: no keys for one are stored."""
    of_probabilities: bool = False
    """Whether class scores that are no probabilities have no such number."""
    shown: Literal["report", "wide"] = "wide"
    """The formats for people: the report page, Markdown and LaTeX, or only the latter two."""
    stored_key: str = ""
    """Key in CSV and JSON without the unit that follows it; empty: `key` and `_of`."""

    @property
    def image_key(self) -> str:
        """Key in CSV and JSON of the number of images."""
        return f"{self.stored_key or f'{self.key}_of'}_images"

    @property
    def sequence_key(self) -> str:
        """Key in CSV and JSON of the number of sequences."""
        return f"{self.stored_key or f'{self.key}_of'}_sequences"


UNIT_METRICS: tuple[UnitMetric, ...] = (
    UnitMetric(
        key="macro_f1",
        stored_key="macro_f1_of_pooled",
        heading="Macro F1",
        definition="Macro F1: unweighted mean of the classes' F1 over the pooled images or sequences.",
        compute=lambda items, classes: classes.macro_f1,
        share=True,
    ),
    UnitMetric(
        key="balanced_accuracy",
        heading="UAR %",
        definition=(
            "UAR: unweighted average recall (balanced accuracy), the mean over classes of the share of their "
            "images or sequences that is predicted correctly; classes without any are left out."
        ),
        compute=lambda items, classes: classes.balanced_accuracy,
        percent=True,
        share=True,
        shown="report",
    ),
    UnitMetric(
        key="macro_auc",
        heading="Macro AUC",
        definition=(
            "Macro AUC: unweighted mean over classes of the area under the ROC curve of the class against "
            "all others, by its score; classes without test items are left out and named in a note."
        ),
        compute=lambda items, classes: classes.macro_auc,
        share=True,
    ),
    UnitMetric(
        key="expected_calibration_error",
        heading="ECE",
        definition=(
            "ECE: expected calibration error, the mean distance between accuracy and confidence in 15 bins "
            "of equal width of the confidence, the score of the predicted class; chance alone makes it "
            "positive."
        ),
        compute=lambda items, classes: expected_calibration_error(items),
        has_interval=False,
        of_probabilities=True,
    ),
    UnitMetric(
        key="overconfidence",
        heading="Overconfidence",
        definition="Overconfidence: mean score of the predicted class minus accuracy.",
        compute=lambda items, classes: overconfidence(items),
        limits=(-1.0, 1.0),
        of_probabilities=True,
    ),
    UnitMetric(
        key="brier_score",
        heading="Brier",
        definition=(
            "Brier: mean squared distance between the class probabilities and the true class, summed over "
            "classes: from 0, the best, to 2."
        ),
        compute=lambda items, classes: brier_score(items),
        limits=(0.0, 2.0),
        of_probabilities=True,
    ),
    UnitMetric(
        key="worst_tenth_accuracy",
        heading="Worst tenth %",
        definition=(
            "Worst tenth: mean accuracy of the tenth of the subjects (at least one) with the lowest "
            "accuracy. It is lower than these subjects' accuracy on new images, because chance enters their "
            "choice."
        ),
        compute=lambda items, classes: worst_tenth_accuracy(items),
        has_interval=False,
        percent=True,
        shown="report",
    ),
)


@dataclass(frozen=True, kw_only=True)
class ClassMeasures:
    """What `metrics.ClassScore` does not have of one class. None where the class has no such number."""

    precision_interval: Interval | None
    recall_interval: Interval | None
    f1_interval: Interval | None
    auc: Measure | None


@dataclass(frozen=True, kw_only=True)
class MeasuredBin:
    """A bin of the reliability figure."""

    bin: ReliabilityBin
    interval: Interval | None
    """95 % CI of the accuracy over subjects; None with fewer than two of them in the bin."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Everything beyond accuracy of a row's images or sequences."""

    values: dict[str, Measure | None]
    """Key of each of UNIT_METRICS to its number; None where it is undefined."""
    no_calibration: str
    """Why the scores have no calibration; empty where they are probabilities."""
    without_auc: tuple[str, ...]
    """Classes that have no AUC, because all or none of the items are theirs."""
    classes: tuple[ClassMeasures, ...] = ()
    """In the order of the class names; empty where not asked for, as are the bins."""
    bins: tuple[MeasuredBin, ...] = ()
    """By ascending confidence; empty also for scores that are no probabilities."""


def measures(items: ScoredItems, no_calibration: str, *, details: bool = True) -> Measures:
    """All measures. no_calibration: `calibration.not_probabilities` of the method's own scores.

    details: also of each class and of each bin.
    """
    classes = class_statistics(items)
    values = {
        metric.key: None if no_calibration and metric.of_probabilities else _measure(metric, items, classes)
        for metric in UNIT_METRICS
    }
    return Measures(
        values=values,
        no_calibration=no_calibration,
        without_auc=tuple(
            name for name, auc in zip(items.class_names, classes.aucs, strict=True) if auc is None
        ),
        classes=_class_measures(items, classes) if details else (),
        bins=_measured_bins(items) if details and not no_calibration else (),
    )


def _measure(metric: UnitMetric, items: ScoredItems, classes: ClassStatistics) -> Measure | None:
    found = metric.compute(items, classes)
    if found is None:
        return None
    if not isinstance(found, Statistic):
        return Measure(value=found, interval=None)
    interval = statistic_interval(found, share=metric.share, limits=metric.limits)
    return Measure(value=found.value, interval=interval)


def _class_measures(items: ScoredItems, classes: ClassStatistics) -> tuple[ClassMeasures, ...]:
    return tuple(
        ClassMeasures(
            precision_interval=_share_interval(items, items.predicted == number),
            recall_interval=_share_interval(items, items.true == number),
            f1_interval=None if f1 is None else statistic_interval(f1, share=True),
            auc=None
            if auc is None
            else Measure(value=auc.value, interval=statistic_interval(auc, share=True)),
        )
        for number, (f1, auc) in enumerate(zip(classes.f1_scores, classes.aucs, strict=True))
    )


def _measured_bins(items: ScoredItems) -> tuple[MeasuredBin, ...]:
    number = bin_numbers(confidence(items))
    return tuple(
        MeasuredBin(bin=one, interval=_share_interval(items, number == index))
        for index, one in enumerate(reliability_bins(items))
    )


def _share_interval(items: ScoredItems, chosen: np.ndarray) -> Interval | None:
    """Of the share of correct items among the chosen ones, bool (n,); None with fewer than two subjects."""
    subject = items.subject[chosen]
    if not len(subject) or (subject == subject[0]).all():
        return None
    found = accuracy_interval(items.correct[chosen], subject)
    return Interval(low=found.low, high=found.high)
