"""The comparison table as data: sections by data set, and the notes that say what each number is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from platform.evaluation.reported import ReportedResult, reported_results
from platform.results.aggregate import AggregatedRow, Scores, TableRow
from platform.results.comparisons import Comparison, best_row, compare
from platform.results.formatting import ABSENT, masks_text, p_value_text, row_label
from platform.results.mask_note import mask_note

NEAR_CEILING = 0.95
"""Pooled accuracy from which the number of errors is shown: the interval gets too short there."""

DEFINITIONS = (
    "Mean of folds: unweighted mean of the folds' image accuracies (what the FMPN paper prints). "
    "Pooled images: share of all tested images. Pooled sequences: share of sequences, each answered by the "
    "mean of its images' class scores. Macro F1: unweighted mean over classes, of pooled images.",
    "95 % interval: of the pooled image accuracy; percentile bootstrap over subjects, 10,000 resamples. It "
    "does not contain the variance between training seeds.",
)
SELECTION_NOTES = {
    "inner": (
        "Selected by `inner`: one configuration, the best mean accuracy on inner validation subjects. No "
        "fold run reads its own fold's test subjects, but through the other folds they enter the choice of "
        "the configuration."
    ),
    "nested": (
        "Selected by `nested`: a study per outer fold on its training subjects; nothing of a test subject "
        "reaches its own fold's choice."
    ),
    "paper": "Selected by `paper`: settings fixed beforehand, last epoch; no accuracy chose anything.",
    "test": (
        "Selected by `test`: LEAKAGE. The configuration was chosen by the test images themselves; such a "
        "number only shows the optimism gap and is no estimate of accuracy on new subjects."
    ),
}
REPORTED_NOTE = (
    "Reported rows: printed in the FMPN paper (arXiv 1902.08788), Table I, not run by us; what was scored "
    "(sequences or images) stands in the column of counts. A mark † after the number: how folds were put "
    "together, and how the settings were chosen, is not stated."
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Our rows of one experiment on one data set."""

    experiment: str
    preset: str
    rows: tuple[TableRow, ...]
    comparisons: tuple[Comparison, ...]
    best: TableRow | None
    """The one row that may be marked as best; None where intervals overlap."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """All rows on one data set."""

    dataset: str
    blocks: tuple[Block, ...]
    reported: tuple[ReportedResult, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """What the renderers of platform/results/render.py turn into text."""

    sections: tuple[Section, ...]
    definitions: tuple[str, ...] = DEFINITIONS


def build_table(aggregated: Sequence[AggregatedRow]) -> Table:
    """The table of all rows: data sets in the order of first appearance, then experiments likewise."""
    if not aggregated:
        raise ValueError("a table needs at least one row")
    datasets = list(dict.fromkeys(row.row.dataset for row in aggregated))
    return Table(
        sections=tuple(
            _section(dataset, [row for row in aggregated if row.row.dataset == dataset])
            for dataset in datasets
        )
    )


def _section(dataset: str, aggregated: Sequence[AggregatedRow]) -> Section:
    blocks = []
    for name in dict.fromkeys(row.row.experiment for row in aggregated):
        members = [row for row in aggregated if row.row.experiment == name]
        rows = tuple(member.row for member in members)
        blocks.append(
            Block(
                experiment=name,
                preset=rows[0].preset,
                rows=rows,
                comparisons=tuple(compare(members)),
                best=best_row(rows),
            )
        )
    reported = tuple(reported_results(dataset))
    return Section(dataset=dataset, blocks=tuple(blocks), reported=reported, notes=_notes(blocks, reported))


def _notes(blocks: Sequence[Block], reported: Sequence[ReportedResult]) -> tuple[str, ...]:
    rows = [row for block in blocks for row in block.rows]
    notes = [_chance_note(rows)]
    for rule in dict.fromkeys(row.selection_rule for row in rows):
        notes.append(SELECTION_NOTES.get(rule, f"Selected by `{rule}`."))
    for lender in dict.fromkeys(text for row in rows if (text := masks_text(row)) not in ("own", ABSENT)):
        notes.append(
            "Masks `released`: FMPN's released motion masks of the same folds, made by its authors."
            if lender == "released"
            else f"Masks `{lender}`: motion masks lent by {lender}, matched by class name."
        )
    if any(row.fold_rule == "holdout" for row in rows):
        notes.append(
            "Fold rule `holdout`: one seeded split of subjects; the mean of folds is that split's accuracy."
        )
    for block in blocks:
        notes.extend(_block_notes(block))
    if reported:
        notes.append(REPORTED_NOTE)
        if any(result.statistic == "one 9:1 split" for result in reported):
            notes.append(
                "The reported numbers of this data set are of one random 9:1 split, not a mean of folds."
            )
        other = sorted({block.preset for block in blocks} - {"paper", "released"})
        if other:
            notes.append(
                f"Our rows ran with the preset {', '.join(other)}, not the paper's image size and schedule: "
                "not comparable with the reported ones."
            )
    return tuple(notes)


def _chance_note(rows: Sequence[TableRow]) -> str:
    scored = [row.scores for row in rows if row.scores is not None]
    if not scored:
        return "Chance level: unknown, no fold is finished."
    counts = max(scored, key=lambda scores: scores.image_count).class_counts
    commonest = max(sorted(counts), key=lambda name: counts[name])
    return (
        f"Chance level (pooled images): {100 / len(counts):.1f} % guessing evenly among {len(counts)} "
        f"classes; {100 * counts[commonest] / sum(counts.values()):.1f} % always answering {commonest}."
    )


def _block_notes(block: Block) -> list[str]:
    notes: list[str] = []
    notes.extend(_comparison_note(comparison, len(block.comparisons)) for comparison in block.comparisons)
    if block.best is not None:
        notes.append(
            f"Best of {block.experiment} by pooled accuracy: {row_label(block.best)} (*); "
            "its 95 % interval overlaps no other row's."
        )
    elif len(block.rows) > 1:
        notes.append(f"No row of {block.experiment} is marked as best: {_why_no_best(block.rows)}.")
    for row in block.rows:
        if row.scores is not None and row.scores.pooled_image_accuracy >= NEAR_CEILING:
            notes.append(_ceiling_note(row, row.scores))
        if row.mask_quality:
            notes.append(mask_note(row))
        if row.problems:
            listed = "; ".join(f"fold {fold} {problem}" for fold, problem in row.problems.items())
            notes.append(f"INCOMPLETE {row_label(row)}: {listed}. Complete it with `{row.command}`.")
    return notes


def _comparison_note(comparison: Comparison, comparison_count: int) -> str:
    return (
        f"{comparison.first.title} minus {row_label(comparison.second)}: {100 * comparison.difference:+.2f} "
        f"points of pooled accuracy on the same {comparison.image_count} images of "
        f"{comparison.subject_count} subjects ({comparison.differing_subjects} differ); exact sign-flip test "
        f"over subjects p = {p_value_text(comparison.p_value)}, "
        f"Holm-corrected over {comparison_count}: {p_value_text(comparison.holm_p_value)}."
    )


def _ceiling_note(row: TableRow, scores: Scores) -> str:
    return (
        f"{row_label(row)}: {scores.error_count} errors in {scores.image_count} images, by "
        f"{scores.subjects_with_errors} of {scores.subject_count} subjects; so near 100 % the interval is "
        "too short, since it cannot draw errors that nobody made."
    )


def _why_no_best(rows: Sequence[TableRow]) -> str:
    if any(not row.complete for row in rows):
        return "a row is incomplete"
    if any(row.selection_rule == "test" for row in rows):
        return "a row was selected on test images"
    if any(row.scores is None or row.scores.pooled_image_interval is None for row in rows):
        return "a row has no interval"
    return "the 95 % intervals of the best ones overlap"
