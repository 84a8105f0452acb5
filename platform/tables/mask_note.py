"""The note on the quality of a row's predicted masks."""

from __future__ import annotations

from platform.aggregation.table_row import TableRow
from platform.models.masks.quality import MaskQuality, average_over_folds
from platform.tables.formatting import row_label


def mask_note(row: TableRow) -> str:
    """Quality of the masks next to chance and to a constant mask, without a verdict: no interval is known.

    Unweighted means of the folds that have a mask quality; `row` has one or more.
    """
    mean = average_over_folds(list(row.mask_quality.values()))
    measured, finished = len(row.mask_quality), row.fold_count - len(row.problems)
    folds = f"{measured} fold{'' if measured == 1 else 's'}"
    if measured < finished:
        folds = f"{measured} of {finished} finished folds"
    return (
        f"Masks of {row_label(row)}: MSE {mean.error:.4f} (constant mean training mask: "
        f"{mean.constant_error:.4f}); {_share(mean.nearest_share)} of predicted masks are nearest to the "
        f"mask of their true class (chance: {_share(mean.chance_level)}, constant mask: "
        f"{_share(mean.constant_nearest_share)}). {_stage2(mean)} "
        f"Mean of {folds}, {mean.face_count} test faces."
    )


def _stage2(mean: MaskQuality) -> str:
    """The effect of stage 2 on the masks of stage 1; two significant digits, because it can be small."""
    if mean.drift is None or mean.error_change is None or mean.nearest_share_change is None:
        return "They come from stage 2 alone, without a stage 1."
    return (
        f"Stage 2 changed the masks (MSE {mean.drift:.2g} from stage 1), "
        f"{'lowered' if mean.error_change < 0 else 'raised'} their error by {abs(mean.error_change):.2g} and "
        f"changed the nearest share by {100 * mean.nearest_share_change:+.1f} points."
    )


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"
