"""The note on the quality of a row's predicted masks, and whether they beat the constant mean mask."""

from __future__ import annotations

from collections.abc import Sequence

from platform.aggregation.mask_errors import MaskComparison
from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.models.masks.quality import MaskQuality, average_over_folds
from platform.tables.formatting import row_label, seeds_text

VERDICTS = {
    "closer": "are closer to the masks of the true classes than the constant mean mask is",
    "farther": "are farther from the masks of the true classes than the constant mean mask is",
    "undecided": "cannot be distinguished from the constant mean mask by their distance to the masks of the "
    "true classes",
}


_NOT_STORED = (
    "No errors of single faces were stored, so they cannot be recomputed, and the difference from the "
    "constant mask has no interval."
)


def mask_note(row: TableRow) -> str:
    """Quality of the masks next to chance and to a constant mask, and the verdict if its interval is known.

    Qualities are unweighted means of the folds that have one; `row` has one or more.
    """
    mean = average_over_folds(list(row.mask_quality.values()))
    measured, finished = len(row.mask_quality), row.fold_count - len(row.problems)
    folds = f"{measured} fold{'' if measured == 1 else 's'}"
    if measured < finished:
        folds = f"{measured} of {finished} finished folds"
    return (
        f"{_qualities(row_label(row), mean)} Mean of {folds}, {mean.face_count} test faces. {_verdict(row)}"
    )


def _qualities(name: str, mean: MaskQuality) -> str:
    return (
        f"Masks of {name}: MSE {mean.error:.4f} (constant mean training mask: "
        f"{mean.constant_error:.4f}); {_share(mean.nearest_share)} of predicted masks are nearest to the "
        f"mask of their true class (chance: {_share(mean.chance_level)}, constant mask: "
        f"{_share(mean.constant_nearest_share)}). {_stage2(mean)}"
    )


def mask_verdict(title: str, comparison: MaskComparison, seeds: Sequence[int]) -> str:
    """Whether predicted masks beat the constant one, over all faces and by class."""
    found = comparison.pooled
    start = f"{title}'s predicted masks "
    if found.interval is None:
        return (
            f"{start}differ from the constant mean mask by MSE {found.difference:+.4f}; with one subject "
            "this has no interval."
        )
    return (
        f"{start}{VERDICTS[found.verdict]}: MSE {found.difference:+.4f} over all {found.face_count} faces "
        f"(95 % CI {found.interval.low:+.4f} to {found.interval.high:+.4f}; {found.subject_count} subjects, "
        f"{seeds_text(seeds)}). {_by_class(comparison)}"
    )


def seeds_mask_note(line: SeedGroup, name: str) -> str:
    """`mask_note` over several seeds: qualities are means of the seeds' means over folds, the verdict is of
    the complete rows. Empty where they predict no masks."""
    rows = [row for row in line.rows if row.mask_quality]
    if not rows:
        return ""
    means = [average_over_folds(list(row.mask_quality.values())) for row in rows]
    folds = " or ".join(map(str, sorted({len(row.mask_quality) for row in rows})))
    faces = " or ".join(map(str, sorted({mean.face_count for mean in means})))
    seeds = seeds_text([row.seed for row in rows if row.seed is not None])
    found = line.mask_comparison
    verdict = f"Not compared with the constant mask over seeds. {_NOT_STORED}"
    if found is not None:
        verdict = mask_verdict(line.first.title, found, line.finished_seeds)
    return (
        f"{_qualities(name, average_over_folds(means))} Mean over {seeds} of the means of {folds} "
        f"fold{'' if folds == '1' else 's'}, {faces} test faces each. {verdict}"
    )


def _verdict(row: TableRow) -> str:
    if row.mask_comparison is not None:
        return mask_verdict(row.title, row.mask_comparison, () if row.seed is None else (row.seed,))
    if not row.masks_recomputed:
        return f"These numbers were measured when the fold runs ended. {_NOT_STORED}"
    lacking = len(row.mask_quality) - len(row.masks_recomputed)
    which = "That of one fold was" if lacking == 1 else f"Those of {lacking} folds were"
    return f"{which} measured when the fold run ended. {_NOT_STORED}"


def _by_class(comparison: MaskComparison) -> str:
    """The classes on each side; without correction for their number, and it says so."""
    sides = {
        side: [name for name, one in comparison.classes.items() if one.verdict == side]
        for side in ("closer", "farther")
    }
    said = [f"{side} for {', '.join(names)}" for side, names in sides.items() if names]
    if not said:
        return "For no class alone is there a difference."
    rest = len(comparison.classes) - sum(map(len, sides.values()))
    more = f", undecided for {rest}" if rest else ""
    return f"By class (intervals not corrected for their number): {', '.join(said)}{more}."


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
