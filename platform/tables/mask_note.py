"""The quality of a row's predicted masks as one sentence, for the table's notes."""

from __future__ import annotations

from platform.aggregation.aggregate import TableRow
from platform.evaluation.mask_quality import MaskQuality, average_over_folds
from platform.tables.formatting import row_label


def mask_note(row: TableRow) -> str:
    """Numbers and what they stand beside, without a verdict: no interval is known.

    Means over the folds that have a mask quality, each fold counting the same; `row` has one or more.
    """
    mean = average_over_folds(list(row.mask_quality.values()))
    measured, finished = len(row.mask_quality), row.fold_count - len(row.problems)
    folds = f"{measured} fold{'' if measured == 1 else 's'}"
    if measured < finished:
        folds = f"{measured} of {finished} finished folds"
    return (
        f"Masks of {row_label(row)}: mean squared error {mean.error:.4f}, the constant mean training mask "
        f"has {mean.constant_error:.4f}; {_share(mean.nearest_share)} of test faces are nearest to their own "
        f"class's mask (chance {_share(mean.chance_level)}, the constant mask "
        f"{_share(mean.constant_nearest_share)}); {_stage2(mean)}. "
        f"Mean of {folds}, {mean.face_count} test faces."
    )


def _stage2(mean: MaskQuality) -> str:
    """What stage 2 did to the masks of stage 1; with two digits, since it can be very little."""
    if mean.drift is None or mean.error_change is None or mean.nearest_share_change is None:
        return "no stage 1 preceded, so stage 2 alone made them"
    return (
        f"stage 2 moved them by {mean.drift:.2g} (mean squared difference), which changed the error by "
        f"{mean.error_change:+.2g} and the share by {100 * mean.nearest_share_change:+.1f} points"
    )


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"
