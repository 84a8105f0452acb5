"""Notes below a table: how its numbers were obtained, and what they do not show."""

from __future__ import annotations

from collections.abc import Sequence

from datasets.folds.rules import LEFT_OUT_SETS
from platform.aggregation.scores import Scores
from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.config.mask_source import PERMUTED_RELEASED
from platform.runs.identity import RESULT_VERSION
from platform.tables.comparison_notes import best_note, comparison_notes, repeated_notes
from platform.tables.formatting import ABSENT, LEAKAGE, PUBLISHED, masks_text, seeds_text
from platform.tables.gap_note import NEGATIVE, WHAT_IT_CONTAINS, gap_note, seeds_gap_note
from platform.tables.group_details import group_notes
from platform.tables.mask_note import mask_note, seeds_mask_note
from platform.tables.measure_notes import measure_notes
from platform.tables.stability_part import stability_notes
from platform.tables.table import Section

WARNING_STARTS = ("INCOMPLETE", "OTHER VERSION", "Selected by `test`")
"""Openings of notes that the report shows as warnings."""
NEAR_CEILING = 0.95
"""Pooled accuracy from which the number of errors is shown, which is more telling than the percentage."""

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
        "number does not estimate the accuracy on new subjects; it only shows the size of the optimism. Its "
        "own gap is zero by construction."
    ),
}
REPORTED_NOTE = (
    "Reported rows: from the FMPN paper (arXiv 1902.08788), Table I, not run here. Each row names the unit "
    "that was scored, sequences or images. †: the paper states neither how folds were averaged nor how "
    "settings were selected."
)
SEED_NOTE = (
    "Rows of several seeds: mean and standard deviation (SD, n - 1) over rows that differ only in the "
    "training seed. The SD is the spread of single training runs, not a standard error. `--parts seeds` "
    "shows each seed."
)


def section_notes(section: Section) -> tuple[str, ...]:
    """The notes of one data set's table, most important first."""
    rows = section.rows
    several = len(section.blocks) > 1
    notes = [_chance_note(rows), *_unit_notes(rows), *_rule_notes(rows)]
    notes.extend(comparison_notes(section))
    notes.append(best_note(section))
    notes.extend(stability_notes(section))
    notes.extend(repeated_notes(section))
    if section.seed_groups:
        notes.append(SEED_NOTE)
        notes.extend(_seed_note(group, section.label(group)) for group in section.seed_groups)
    notes.extend(_version_notes(section))
    notes.extend(group_notes(list(rows)))
    for line in section.lines:
        name = section.label(line)
        if several and " of " not in name:
            name += f" of {' and '.join(line.experiments)}"
        notes.extend(_row_notes(line.rows[0], name) if len(line.members) == 1 else _seeds_notes(line, name))
    if section.reported:
        notes.extend(_reported_notes(section))
    return tuple(note for note in notes if note)


def _rule_notes(rows: Sequence[TableRow]) -> list[str]:
    """How configurations were selected, where masks come from, and how the subjects were divided."""
    rules = dict.fromkeys(row.selection_rule for row in rows if not row.chosen_elsewhere)
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


def _seeds_notes(line: SeedGroup, name: str) -> list[str]:
    """Of a line of several seeds: the limits of its interval, then what is to be said of each seed."""
    notes = []
    mean, limits = line.pooled_image_accuracy, line.pooled_interval
    if mean is not None and (mean.mean >= NEAR_CEILING or (limits is not None and limits.caveat)):
        errors = ", ".join(str(one.row.scores.error_count) for one in line.finished if one.row.scores)
        count = line.first.scores.image_count if line.first.scores else 0
        caveat = f" {limits.caveat}" if limits is not None and limits.caveat else ""
        notes.append(f"{name}: {errors} errors in {count} {line.first.unit}s, by seed.{caveat}")
    if not line.complete:
        which = ", ".join(map(str, line.finished_seeds)) or "none"
        notes.append(f"INCOMPLETE {name}: its means are of the complete seeds only ({which}).")
    notes += [seeds_gap_note(line, name), seeds_mask_note(line, name)]
    for row in line.rows:
        notes.extend(_row_notes(row, f"{name}, seed {row.seed}", alone=False))
    return notes


def _row_notes(row: TableRow, name: str, *, alone: bool = True) -> list[str]:
    """alone: whether it is a line of its own, not one seed of several."""
    notes: list[str] = []
    scores = row.scores
    if scores is not None:
        if alone:
            notes.extend(_interval_note(name, scores, "sequences" if row.scores_sequences else "images"))
        notes.extend(_odd_data_notes(name, scores))
        notes.extend(measure_notes(row, name))
        if row.selection_score is not None and row.optimism_gap is not None and not row.leaks:
            notes.append(gap_note(name, row))
    if row.mask_quality:
        notes.append(mask_note(row) if alone else f"Seed {row.seed}: {mask_note(row, verdict=False)}")
    if row.problems:
        listed = "; ".join(f"fold {fold} {problem}" for fold, problem in row.problems.items())
        notes.append(f"INCOMPLETE {name}: {listed}. Complete it with `{row.command}`.")
    return notes


def _odd_data_notes(name: str, scores: Scores) -> list[str]:
    """Properties of the data or predictions that leave some numbers undefined."""
    notes = []
    never = [score.name for score in scores.classes if not score.predicted_count and score.true_count]
    if never:
        notes.append(f"{name}: never predicted {', '.join(never)}; F1 of such a class counts as 0.")
    single = [str(fold.fold) for fold in scores.folds if fold.class_count == 1]
    if single and len(scores.class_names) > 1:
        folds = "fold" if len(single) == 1 else "folds"
        notes.append(
            f"{name}: {folds} {', '.join(single)} {'tests' if len(single) == 1 else 'test'} only one class."
        )
    if scores.subject_count == 1:
        notes.append(f"{name}: with one test subject, no 95 % CI over subjects exists.")
    return notes


def _interval_note(name: str, scores: Scores, units: str) -> list[str]:
    """The number of errors near 100 %, and the limits of the interval."""
    interval = scores.pooled_image_interval
    caveat = interval.caveat if interval else None
    if scores.pooled_image_accuracy < NEAR_CEILING and caveat is None:
        return []
    return [
        f"{name}: {scores.error_count} errors in {scores.image_count} {units}, by "
        f"{scores.subjects_with_errors} of {scores.subject_count} subjects.{f' {caveat}' if caveat else ''}"
    ]


def _seed_note(group: SeedGroup, name: str) -> str:
    """How far a fold's accuracy moves with the seed, next to how far folds differ."""
    found = group.variance
    name = f"{name}, {seeds_text(group.finished_seeds)}"
    if found is None or found.run_count < 2:
        return ""
    if found.residual is None or found.fold_effect is None or found.run_effect is None:
        return f"{name}: one fold, so effects of seed and fold cannot be separated."
    return (
        f"{name}: standard deviations by analysis of variance: {100 * found.run_effect:.2f} points between "
        f"seeds (shared by all folds), {100 * found.fold_effect:.2f} between folds, "
        f"{100 * found.residual:.2f} of one fold's accuracy when it is trained again."
    )


def _reported_notes(section: Section) -> list[str]:
    notes = [REPORTED_NOTE]
    protocols = dict.fromkeys(
        (result.classes, result.frames, result.folds) for result in section.reported if result.our_method
    )
    notes += [
        f"Protocol of the reported rows that the paper's authors ran: {classes} classes, {frames}, folds: "
        f"{folds}. For rows that the paper quotes, it is not stated."
        for classes, frames, folds in protocols
    ]
    if any(result.statistic == "one 9:1 split" for result in section.reported):
        notes.append(
            "The reported numbers of this data set come from one random 9:1 split, not from a mean of folds."
        )
    changed = sorted(
        block.preset_text
        for block in section.blocks
        if block.preset in PUBLISHED and block.preset_text != block.preset
    )
    if changed:
        notes.append(
            f"Not comparable with the reported rows: our rows depart from the published settings (preset "
            f"{'; preset '.join(changed)})."
        )
    other = sorted({block.preset for block in section.blocks} - set(PUBLISHED))
    if other:
        notes.append(
            f"Not comparable with the reported rows: our rows use the preset {', '.join(other)} instead of "
            "the paper's image size and schedule."
        )
    return notes
