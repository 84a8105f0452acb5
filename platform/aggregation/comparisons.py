"""Which differences between rows the data support: paired tests, and whether a best row may be marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from platform.aggregation.aggregate import AggregatedRow, TableRow
from platform.evaluation import statistics


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
    complete = [(row.row, row.answers) for row in rows if row.row.complete and row.answers is not None]
    reference = next((pair for pair in complete if pair[0].method == reference_method), None)
    if reference is None:
        return []
    results = []
    for row, answers in complete:
        if row is not reference[0] and answers.tested == reference[1].tested:
            tested = statistics.sign_flip_test(reference[1].correct, answers.correct, answers.subject)
            results.append((row, len(answers.correct), tested))
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

    Incomplete rows, rows selected on test images, rows without interval, and rows of several prepared data
    sets or fold rules allow no ranking.
    """
    if len(rows) < 2 or any(not row.complete or row.leaks for row in rows):
        return None
    if len({(row.data_hash, row.fold_rule, row.chosen_folds) for row in rows}) > 1:
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
