"""Which differences between rows the data support: paired tests, and whether a best row may be marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from platform.evaluation import statistics
from platform.evaluation.predictions import Predictions
from platform.results.aggregate import AggregatedRow, TableRow


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """FMPN's row against another, on the same images. Differences of pooled image accuracy in [-1, 1]."""

    first: TableRow
    second: TableRow
    difference: float
    p_value: float
    """Two-sided exact sign-flip test over subjects."""
    holm_p_value: float
    """Adjusted for all comparisons that one table shows for one data set and experiment."""
    image_count: int
    subject_count: int
    differing_subjects: int


def compare(rows: Sequence[AggregatedRow], reference_method: str = "fmpn") -> list[Comparison]:
    """The reference method's first cross-validated row against every row on exactly the same images.

    Rows of one data set and experiment. Incomplete rows are left out. Holm's correction runs over
    the comparisons returned.
    """
    complete = [
        (row.row, row.predictions) for row in rows if row.row.complete and row.predictions is not None
    ]
    reference = next((pair for pair in complete if pair[0].method == reference_method), None)
    if reference is None:
        return []
    results = []
    for row, predictions in complete:
        paired = None if row is reference[0] else _paired_correct(reference[1], predictions)
        if paired is not None:
            first, second, subject = paired
            results.append((row, len(subject), statistics.sign_flip_test(first, second, subject)))
    adjusted = statistics.holm([result.p_value for _, _, result in results])
    return [
        Comparison(
            first=reference[0],
            second=row,
            difference=result.difference,
            p_value=result.p_value,
            holm_p_value=holm_p_value,
            image_count=image_count,
            subject_count=result.subject_count,
            differing_subjects=result.differing_subjects,
        )
        for (row, image_count, result), holm_p_value in zip(results, adjusted, strict=True)
    ]


def best_row(rows: Sequence[TableRow]) -> TableRow | None:
    """The row with the highest pooled accuracy, if its 95 % interval overlaps no other row's; else None.

    Incomplete rows, rows selected on test images and rows without interval allow no ranking.
    """
    if len(rows) < 2 or any(not row.complete or row.selection_rule == "test" for row in rows):
        return None
    intervals = [row.scores.pooled_image_interval if row.scores else None for row in rows]
    if any(interval is None for interval in intervals):
        return None
    best = max(range(len(rows)), key=lambda index: rows[index].scores.pooled_image_accuracy)  # type: ignore[union-attr]
    overlapping = any(
        intervals[best].overlaps(interval)  # type: ignore[union-attr, arg-type]
        for index, interval in enumerate(intervals)
        if index != best
    )
    return None if overlapping else rows[best]


def _paired_correct(
    first: Predictions, second: Predictions
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Correctness of two methods by image, and the subjects; None unless images and labels agree."""
    if len(first) != len(second):
        return None
    order, other = np.argsort(first.image), np.argsort(second.image)
    for column in ("dataset", "image", "true", "subject"):
        if not np.array_equal(getattr(first, column)[order], getattr(second, column)[other]):
            return None
    return first.correct[order], second.correct[other], first.subject[order]
