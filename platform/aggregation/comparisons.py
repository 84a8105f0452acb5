"""Paired tests between rows, and the rule that marks a best row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from platform.aggregation.aggregate import AggregatedRow
from platform.aggregation.table_row import TableRow
from platform.evaluation.paired_tests import holm, sign_flip_test


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """FMPN's row minus another on the same images, in pooled image accuracy, [-1, 1]."""

    first: TableRow
    second: TableRow
    difference: float
    p_value: float
    """Two-sided exact sign-flip test over subjects."""
    holm_p_value: float
    """Corrected over all comparisons of one experiment on one data set."""
    image_count: int
    subject_count: int
    differing_subjects: int


def compare(rows: Sequence[AggregatedRow], reference_method: str = "fmpn") -> list[Comparison]:
    """The reference method's first row compared with every other row that tested exactly the same images.

    rows: of one data set and experiment; incomplete ones are left out. Holm's correction covers the
    comparisons returned.
    """
    complete = [(row.row, row.images) for row in rows if row.row.complete and row.images is not None]
    reference = next((pair for pair in complete if pair[0].method == reference_method), None)
    if reference is None:
        return []
    results = []
    for row, images in complete:
        if row is not reference[0] and images.tested == reference[1].tested:
            tested = sign_flip_test(reference[1].correct, images.correct, images.subject)
            results.append((row, len(images.correct), tested))
    adjusted = holm([result.p_value for _, _, result in results])
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
    """The row with the highest pooled accuracy, if its 95 % CI overlaps that of no other row; else None.

    No row is best among rows that are incomplete, were selected on test folds, have no interval, or differ in
    prepared set, fold rule or folds.
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
