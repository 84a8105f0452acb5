"""Metrics of a row's pooled predictions: one entry each, shown by every format of the table.

Those that exist of images and of sequences alike, with an interval, are in `unit_metrics.py`.

A metric is a pure function of predictions. To add one, add an entry to METRICS: aggregation computes it, and
`platform.tables.columns` makes its column (docs/table.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from platform.evaluation.metrics import ClassScore, pooled_accuracy
from platform.evaluation.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class PooledPredictions:
    """The predictions of all finished folds of a row, and what several metrics are computed from."""

    images: Predictions
    sequences: Predictions
    """One line a sequence, predicted by the mean of its images' class scores."""
    majority_sequences: Predictions
    """One line a sequence, predicted by the majority of its images."""
    classes: tuple[ClassScore, ...]
    """Precision, recall and F1 of each class, over images."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number of a row, and the column that shows it."""

    key: str
    """Its name in CSV and JSON; says of what it is."""
    heading: str
    """Of its column; ends in ` %` for a percentage."""
    definition: str
    """One sentence below the table."""
    compute: Callable[[PooledPredictions], float | None]
    """None where it is undefined; must not depend on the order of the images."""
    percent: bool = True
    """Whether people read it as a percentage of a share in [0, 1]; else with three decimals."""
    of_images: bool = True
    """Whether images, of which a method that scores sequences predicts none, enter it."""
    narrow: bool = True
    """Whether the screen and the report page, whose width is limited, show it too."""


METRICS: tuple[Metric, ...] = (
    Metric(
        key="majority_sequence_accuracy",
        heading="Sequences by majority %",
        definition="Sequences by majority: share of sequences, each predicted by the majority of its images.",
        compute=lambda pooled: pooled_accuracy(pooled.majority_sequences.correct),
        narrow=False,
    ),
)


def measured(pooled: PooledPredictions) -> dict[str, float | None]:
    """Key to value of every metric of METRICS."""
    return {metric.key: metric.compute(pooled) for metric in METRICS}
