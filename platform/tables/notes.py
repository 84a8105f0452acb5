"""Notes below a table: how its numbers were obtained, and what they do not show."""

from __future__ import annotations

from collections.abc import Sequence

from datasets.folds.rules import LEFT_OUT_SETS
from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.config.mask_source import PERMUTED_RELEASED
from platform.runs.identity import RESULT_VERSION
from platform.tables.comparison_notes import best_note, comparison_notes, repeated_notes
from platform.tables.formatting import ABSENT, LEAKAGE, masks_text, seeds_text
from platform.tables.gap_note import NEGATIVE, WHAT_IT_CONTAINS, gap_note, seeds_gap_note
from platform.tables.group_details import group_notes
from platform.tables.incomplete_note import incomplete_notes
from platform.tables.mask_note import mask_note, seeds_mask_note
from platform.tables.reported_notes import reported_notes
from platform.tables.row_remarks import NamedLine, error_notes, row_remarks
from platform.tables.stability_part import stability_notes
from platform.tables.table import Section

WARNING_STARTS = ("INCOMPLETE", "OTHER VERSION", "Selected by `test`")
"""Openings of notes that the report shows as warnings."""

MASK_NOTES = {
    "released": "Masks `released`: the motion masks that FMPN's authors released for the same folds.",
    PERMUTED_RELEASED: (
        f"Masks `{PERMUTED_RELEASED}`: control; FMPN's released motion masks of the same folds, each class "
        "with the mask of another."
    ),
    "permuted": "Masks `permuted`: control; each class has the motion mask of another class.",
    "uniform": "Masks `uniform`: control; one uniform gray for every class.",
    "centre": "Masks `centre`: control; one round blob in the centre, the same for every class.",
    "random": "Masks `random`: control; a smooth random field for each class.",
}
"""Notes on masks that are neither the row's own nor transferred from a data set."""

SELECTION_NOTES = {
    "inner": (
        "Selected by `inner`: tuned on inner folds, one configuration for all outer folds. Test subjects of "
        "one fold validate in others, so the choice is not fully independent of them."
    ),
    "nested": (
        "Selected by `nested`: one study per outer fold on its training subjects only, so each fold's choice "
        "is independent of its test subjects."
    ),
    "paper": "Selected by `paper`: fixed settings and the last epoch; nothing was tuned.",
    "test": (
        f"Selected by `test`: {LEAKAGE}. The configuration with the best test accuracy was chosen, so the "
        "number does not estimate the accuracy on new subjects; it only shows the size of the optimism. "
        "For the row that was searched, the optimism gap is zero by construction."
    ),
}
SEED_NOTE = (
    "Several seeds: mean and standard deviation (SD, n - 1) of rows that differ only in the training seed. "
    "The SD is the spread of single training runs, not a standard error. `--parts seeds` shows each seed."
)


def section_notes(section: Section) -> tuple[str, ...]:
    """The notes of one data set's table: what is wrong with it, what it shows, then how it was made."""
    rows = section.rows
    lines = [NamedLine(_name(section, line), line) for line in section.lines]
    notes = [
        *incomplete_notes(section),
        *_version_notes(section),
        *_leakage_notes(rows),
        _chance_note(rows),
        best_note(section),
        *comparison_notes(section),
        *stability_notes(section),
        *error_notes(lines),
    ]
    for one in lines:
        notes += _line_notes(one)
    if section.seed_groups:
        notes += [SEED_NOTE, *_spread_notes(section)]
    notes += [*_unit_notes(rows), *_rule_notes(rows), *row_remarks(lines)]
    notes += [*repeated_notes(section), *group_notes(list(rows))]
    if section.reported:
        notes += reported_notes(section)
    return tuple(note for note in notes if note)


def _name(section: Section, line: SeedGroup) -> str:
    """The line's label, with its experiments where there are several."""
    name = section.label(line)
    if len(section.blocks) > 1 and " of " not in name:
        return f"{name} of {' and '.join(line.experiments)}"
    return name


def _leakage_notes(rows: Sequence[TableRow]) -> list[str]:
    return [SELECTION_NOTES["test"]] if any(row.leaks for row in rows) else []


def _rule_notes(rows: Sequence[TableRow]) -> list[str]:
    """How configurations were selected, where masks come from, and how the subjects were divided."""
    rules = dict.fromkeys(row.selection_rule for row in rows if not (row.chosen_elsewhere or row.leaks))
    notes = [SELECTION_NOTES.get(rule, f"Selected by `{rule}`.") for rule in rules]
    notes += _settings_notes(rows)
    notes += _chosen_elsewhere_notes([row for row in rows if row.chosen_elsewhere])
    if any(row.optimism_gap is not None and not row.leaks for row in rows):
        negative = any((row.optimism_gap or 0.0) < 0.0 for row in rows)
        notes.append((NEGATIVE if negative else "") + WHAT_IT_CONTAINS)
    for source in dict.fromkeys(text for row in rows if (text := masks_text(row)) not in ("own", ABSENT)):
        notes.append(
            MASK_NOTES.get(
                source, f"Masks `{source}`: motion masks transferred from {source}, matched by class name."
            )
        )
    if any(row.fold_rule == "holdout" for row in rows):
        notes.append(
            "Fold rule `holdout`: one seeded split by subject; the mean of folds is the accuracy of that "
            "split."
        )
    if any(row.fold_rule == LEFT_OUT_SETS for row in rows):
        notes.append(
            f"Fold rule `{LEFT_OUT_SETS}`: fold k tests data set k and trains on the others only. The "
            "mean of folds weighs data sets equally, the pooled accuracy weighs images equally. Intervals "
            "are for new subjects of the same data sets, not for another data set."
        )
    return notes


def _settings_notes(rows: Sequence[TableRow]) -> list[str]:
    """Whose settings the rows ran with; nothing on rows of experiments that do not say."""
    titles: dict[str, list[str]] = {}
    for row in rows:
        if row.settings.whose:
            titles.setdefault(row.settings.describe(), []).append(row.title)
    if not titles:
        return []
    if len(titles) == 1 and len(set(next(iter(titles.values())))) > 1:
        return [f"Settings of all rows: {next(iter(titles))}."]
    said = "; ".join(f"of {', '.join(dict.fromkeys(names))}: {whose}" for whose, names in titles.items())
    return [f"Settings {said}."]


def _chosen_elsewhere_notes(rows: Sequence[TableRow]) -> list[str]:
    """The source data set on which the configuration of transferred rows was selected."""
    notes = []
    for rule in dict.fromkeys(row.selection_rule for row in rows):
        sources = {row.masks for row in rows if row.selection_rule == rule} - {"none", "own"}
        where = " and ".join(sorted(sources)) or "another data set"
        notes.append(
            f"Transferred: the configuration was selected by `{rule}` on {where}, independently of the "
            f"subjects of {rows[0].dataset}."
        )
    return notes


def _chance_note(rows: Sequence[TableRow]) -> str:
    of_images = [row.scores for row in rows if row.scores is not None and not row.scores_sequences]
    scored = of_images or [row.scores for row in rows if row.scores is not None]
    if not scored:
        return "Chance level: unknown, because no fold is finished."
    largest = max(scored, key=lambda scores: scores.image_count)
    units = "images" if of_images else "sequences"
    tested = [score for score in largest.classes if score.true_count]
    commonest = max(sorted(tested, key=lambda score: score.name), key=lambda score: score.true_count)
    return (
        f"Chance level (pooled {units}): {100 / len(tested):.1f} % by uniform guessing among {len(tested)} "
        f"classes; {100 * commonest.true_count / largest.image_count:.1f} % by always predicting "
        f"{commonest.name}."
    )


def _unit_notes(rows: Sequence[TableRow]) -> list[str]:
    """Which methods score sequences, and what their numbers then are."""
    titles = ", ".join(dict.fromkeys(row.title for row in rows if row.scores_sequences))
    if not titles:
        return []
    return [
        f"{titles}: one prediction a sequence, so accuracies, intervals and tests are of sequences; "
        f"columns of images show {ABSENT}."
    ]


def _version_notes(section: Section) -> list[str]:
    older: dict[int | None, list[str]] = {}
    for row in section.rows:
        if row.of_other_version:
            older.setdefault(row.result_version, []).append(f"{section.label(row)} of {row.experiment}")
    return [
        f"OTHER VERSION {', '.join(labels)}: trained by version {version} of the code, whose results differ "
        f"from those of the current version {RESULT_VERSION}. The scores are recomputed from the stored "
        "predictions."
        for version, labels in older.items()
    ]


def _line_notes(one: NamedLine) -> list[str]:
    """Optimism gap and masks of a line, and of each of its seeds."""
    line = one.line
    if len(line.members) == 1:
        return _row_notes(line.rows[0], one.name)
    notes = [seeds_gap_note(line, one.name), seeds_mask_note(line, one.name)]
    for row in line.rows:
        notes += _row_notes(row, f"{one.name}, seed {row.seed}", alone=False)
    return notes


def _row_notes(row: TableRow, name: str, *, alone: bool = True) -> list[str]:
    """alone: whether it is a line of its own, not one seed of several."""
    notes: list[str] = []
    if row.optimism_gap is not None and row.selection_score is not None and not row.leaks:
        notes.append(gap_note(name, row))
    if row.mask_quality and alone:
        notes.append(mask_note(row))
    return notes


def _spread_notes(section: Section) -> list[str]:
    """How far a fold's accuracy moves with the seed, next to how far folds differ."""
    parts, one_fold = [], []
    for group in section.seed_groups:
        found = group.variance
        if found is None or found.run_count < 2:
            continue
        name = f"{section.label(group)}, {seeds_text(group.finished_seeds)}"
        if found.residual is None or found.fold_effect is None or found.run_effect is None:
            one_fold.append(name)
            continue
        effects = (found.run_effect, found.fold_effect, found.residual)
        parts.append(f"{name}: {', '.join(f'{100 * effect:.2f}' for effect in effects)}")
    notes = []
    if parts:
        notes.append(
            "Spread of fold accuracies by analysis of variance, as standard deviations in points between "
            "seeds (shared by all folds), between folds, and of one fold when it is trained again. "
            f"{'; '.join(parts)}."
        )
    if one_fold:
        notes.append(f"One fold, so effects of seed and fold cannot be separated: {'; '.join(one_fold)}.")
    return notes
