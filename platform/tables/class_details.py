"""Each class of a row, as a grid and as stored records."""

from __future__ import annotations

from typing import Any

from platform.aggregation.scores import Scores
from platform.evaluation.metrics import ClassScore
from platform.evaluation.unit_metrics import ClassMeasures
from platform.tables.formatting import ABSENT, interval, interval_of_numbers, percent
from platform.tables.grid import Grid
from platform.tables.stored_facts import interval_ends, rounded

MEAN = "mean of classes"


def class_grid(scores: Scores, caption: str, unit: str) -> Grid:
    """Precision, recall, F1 and AUC of each class with their 95 % CIs, and a line of unweighted means.

    unit: heading of the number of images or sequences of the class.
    """
    lines = [
        _line(score, measures)
        for score, measures in zip(scores.classes, scores.measures.classes, strict=True)
    ]
    return Grid(
        caption=caption,
        header=(
            "Class", unit, "Predicted", "Precision %", "95 % CI", "Recall %", "95 % CI", "F1", "95 % CI",
            "AUC", "95 % CI",
        ),
        rows=(*lines, _mean_line(scores)),
        left_columns=1,
    )  # fmt: skip


def _line(score: ClassScore, measures: ClassMeasures) -> tuple[str, ...]:
    auc = measures.auc
    return (
        score.name,
        str(score.true_count),
        str(score.predicted_count),
        ABSENT if score.precision is None else percent(score.precision),
        interval(measures.precision_interval),
        ABSENT if score.recall is None else percent(score.recall),
        interval(measures.recall_interval),
        ABSENT if score.f1 is None else f"{score.f1:.3f}",
        interval_of_numbers(measures.f1_interval),
        ABSENT if auc is None else f"{auc.value:.3f}",
        interval_of_numbers(None if auc is None else auc.interval),
    )


def _mean_line(scores: Scores) -> tuple[str, ...]:
    """Means over the classes that have the number; recall's is the UAR. Precision has none: a class that is
    never predicted would be left out of it."""
    uar, f1, auc = (scores.measures.values[key] for key in ("balanced_accuracy", "macro_f1", "macro_auc"))
    return (
        MEAN,
        ABSENT,
        ABSENT,
        ABSENT,
        ABSENT,
        ABSENT if uar is None else percent(uar.value),
        interval(None if uar is None else uar.interval),
        ABSENT if f1 is None else f"{f1.value:.3f}",
        interval_of_numbers(None if f1 is None else f1.interval),
        ABSENT if auc is None else f"{auc.value:.3f}",
        interval_of_numbers(None if auc is None else auc.interval),
    )


def class_facts(measures: ClassMeasures) -> dict[str, Any]:
    """What CSV and JSON hold of a class beside `metrics.ClassScore`."""
    auc = measures.auc
    return {
        **interval_ends("precision", measures.precision_interval),
        **interval_ends("recall", measures.recall_interval),
        **interval_ends("f1", measures.f1_interval),
        "auc": None if auc is None else rounded(auc.value),
        **interval_ends("auc", None if auc is None else auc.interval),
    }
