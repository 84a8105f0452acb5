"""Paired tests between rows, and the rule that marks a best row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from platform.aggregation.aggregate import AggregatedRow
from platform.aggregation.paired_images import PairedImages
from platform.aggregation.table_row import TableRow
from platform.evaluation.paired_tests import holm, sign_flip_test


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """FMPN's row minus another on the same images, in pooled image accuracy, [-1, 1]; on the same sequences
    where the two score different units."""

    first: TableRow
    second: TableRow
    difference: float
    p_value: float
    """Two-sided exact sign-flip test over subjects."""
    holm_p_value: float
    """Corrected over all comparisons of one experiment on one data set."""
    image_count: int
    """Images, or sequences if those are compared."""
    subject_count: int
    differing_subjects: int
    unit: str = "image"
    """What is compared, `image` or `sequence`."""


def compare(rows: Sequence[AggregatedRow], reference_method: str = "fmpn") -> list[Comparison]:
    """The reference method's first row compared with every other row that tested exactly the same images.

    rows: of one data set and experiment; incomplete ones are left out. A row that scores sequences and one
    that scores images are compared on sequences, if these are the same (`not_compared` names the others).
    Holm's correction covers the comparisons returned.
    """
    reference = _reference(rows, reference_method)
    if reference is None:
        return []
    results = []
    for one in rows:
        pair = paired(reference, one)
        if one is not reference and pair is not None:
            first, second = pair
            tested = sign_flip_test(first.correct, second.correct, second.subject)
            results.append((reference.row, one.row, len(second.correct), tested))
    adjusted = holm([result.p_value for *_, result in results])
    return [
        Comparison(
            first=first,
            second=second,
            difference=result.difference,
            p_value=result.p_value,
            holm_p_value=holm_p_value,
            image_count=count,
            subject_count=result.subject_count,
            differing_subjects=result.differing_subjects,
            unit="sequence" if "sequence" in (first.unit, second.unit) else "image",
        )
        for (first, second, count, result), holm_p_value in zip(results, adjusted, strict=True)
    ]


def not_compared(rows: Sequence[AggregatedRow], reference_method: str = "fmpn") -> list[TableRow]:
    """Complete rows of another unit than the reference method's, with other sequences than it has."""
    reference = _reference(rows, reference_method)
    return [
        one.row
        for one in rows
        if reference is not None
        and one.row.complete
        and one.row.unit != reference.row.unit
        and paired(reference, one) is None
    ]


def _reference(rows: Sequence[AggregatedRow], method: str) -> AggregatedRow | None:
    complete = (one for one in rows if one.row.complete and one.images is not None)
    return next((one for one in complete if one.row.method == method), None)


def paired(first: AggregatedRow, second: AggregatedRow) -> tuple[PairedImages, PairedImages] | None:
    """What both rows have tested, images or, if only one of them scores images, sequences.

    None: a row is incomplete, or they tested different ones.
    """
    if not (first.row.complete and second.row.complete):
        return None
    if first.row.unit == second.row.unit:
        pair = first.images, second.images
    else:
        pair = first.sequences, second.sequences
    one, other = pair
    return (one, other) if one and other and one.tested == other.tested else None


def best_row(rows: Sequence[TableRow]) -> TableRow | None:
    """The row with the highest pooled accuracy, if its 95 % CI overlaps that of no other row; else None.

    No row is best among rows that are incomplete, were selected on test folds, have no interval, or differ in
    unit, prepared set, fold rule or folds.
    """
    if len(rows) < 2 or any(not row.complete or row.leaks for row in rows):
        return None
    if len({(row.unit, row.data_hash, row.fold_rule, row.chosen_folds) for row in rows}) > 1:
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
