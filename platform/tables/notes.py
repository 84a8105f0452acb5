"""The sentences below a table: what each number is, and what the reader must not make of it."""

from __future__ import annotations

from collections.abc import Sequence

from datasets.folds.rules import LEFT_OUT_SETS
from platform.aggregation.aggregate import Scores, TableRow
from platform.aggregation.comparisons import Comparison
from platform.config.mask_source import PERMUTED_RELEASED
from platform.runs.identity import RESULT_VERSION
from platform.tables.formatting import ABSENT, LEAKAGE, masks_text, p_value_text, row_label
from platform.tables.mask_note import mask_note
from platform.tables.table import Section

NEAR_CEILING = 0.95
"""Pooled accuracy from which the number of errors is shown: they say more than the percentage there."""

MASK_NOTES = {
    "released": "Masks `released`: FMPN's released motion masks of the same folds, made by its authors.",
    PERMUTED_RELEASED: (
        f"Masks `{PERMUTED_RELEASED}`: a control; FMPN's released motion masks of the same folds, each class "
        "with another class's."
    ),
    "permuted": "Masks `permuted`: a control; each class has another class's motion mask.",
    "uniform": "Masks `uniform`: a control; the same gray everywhere, for every class.",
    "centre": "Masks `centre`: a control; one round blob in the middle, the same for every class.",
    "random": "Masks `random`: a control; a smooth random field for each class.",
}
"""What masks are that no data set lent."""

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
        f"Selected by `test`: {LEAKAGE}. The test images themselves chose the configuration; such a number "
        "only shows the optimism gap and is no estimate of accuracy on new subjects. Its own gap is zero by "
        "construction."
    ),
}
REPORTED_NOTE = (
    "Reported rows: printed in the FMPN paper (arXiv 1902.08788), Table I, not run by us; what was scored "
    "(sequences or images) stands in each row. A mark † after the number: how folds were put "
    "together, and how the settings were chosen, is not stated."
)
SEED_NOTE = (
    "Over seeds: mean of the rows that differ in nothing but the seed, and their standard deviation (SD, "
    "n - 1), which is the spread of one training and no standard error."
)
NEGATIVE_GAP_NOTE = (
    "A negative optimism gap: the test folds scored higher than the validation that chose. Final runs train "
    "on more subjects than the runs that are validated, and both means vary with the subjects."
)
PUBLISHED = ("paper", "released")
"""Presets whose settings are those of the reported numbers."""
WARNING_STARTS = ("INCOMPLETE", "OTHER VERSION", "Selected by `test`")
"""Openings of notes that a page shows as warnings."""


def section_notes(section: Section) -> tuple[str, ...]:
    """The notes of one data set's table, in the order in which they matter."""
    rows = section.rows
    several = len(section.blocks) > 1
    notes = [_chance_note(rows), *_rule_notes(rows)]
    for block in section.blocks:
        where = f" in {block.experiment}" if several else ""
        count = len(block.comparisons)
        notes.extend(_comparison_note(comparison, where, count) for comparison in block.comparisons)
    if section.seed_groups:
        notes.append(SEED_NOTE)
    if section.best is not None:
        notes.append(
            f"Best by pooled accuracy: {row_label(section.best)} of {section.best.experiment} (marked); its "
            "95 % interval overlaps no other row's."
        )
    elif len(rows) > 1:
        notes.append(f"No row is marked as best: {_why_no_best(rows)}.")
    notes.extend(_version_notes(rows))
    for row in rows:
        notes.extend(_row_notes(row, row_label(row) + (f" of {row.experiment}" if several else "")))
    if section.reported:
        notes.extend(_reported_notes(section))
    return tuple(notes)


def _rule_notes(rows: Sequence[TableRow]) -> list[str]:
    """How configurations were selected, whose masks were used, and how the subjects were divided."""
    rules = dict.fromkeys(row.selection_rule for row in rows if not row.chosen_elsewhere)
    notes = [SELECTION_NOTES.get(rule, f"Selected by `{rule}`.") for rule in rules]
    notes += _chosen_elsewhere_notes([row for row in rows if row.chosen_elsewhere])
    if any((row.optimism_gap or 0.0) < 0.0 for row in rows):
        notes.append(NEGATIVE_GAP_NOTE)
    for lender in dict.fromkeys(text for row in rows if (text := masks_text(row)) not in ("own", ABSENT)):
        notes.append(
            MASK_NOTES.get(lender, f"Masks `{lender}`: motion masks lent by {lender}, matched by class name.")
        )
    if any(row.fold_rule == "holdout" for row in rows):
        notes.append(
            "Fold rule `holdout`: one seeded split of subjects; the mean of folds is that split's accuracy."
        )
    if any(row.fold_rule == LEFT_OUT_SETS for row in rows):
        notes.append(
            f"Fold rule `{LEFT_OUT_SETS}`: fold k tests all of data set k and trains on the others alone. "
            "The mean of folds gives every data set the same weight, the pooled accuracy every image. "
            "Intervals are for other people of the same data sets, not for another data set."
        )
    return notes


def _chosen_elsewhere_notes(rows: Sequence[TableRow]) -> list[str]:
    """Where the configuration of transferred rows was chosen: not on the data set of this table."""
    notes = []
    for rule in dict.fromkeys(row.selection_rule for row in rows):
        sources = {row.masks for row in rows if row.selection_rule == rule} - {"none", "own"}
        where = " and ".join(sorted(sources)) or "another data set"
        notes.append(
            f"Transferred: the configuration was selected by `{rule}` on {where}; no subject of "
            f"{rows[0].dataset} entered that choice."
        )
    return notes


def _chance_note(rows: Sequence[TableRow]) -> str:
    scored = [row.scores for row in rows if row.scores is not None]
    if not scored:
        return "Chance level: unknown, no fold is finished."
    largest = max(scored, key=lambda scores: scores.image_count)
    tested = [score for score in largest.classes if score.true_count]
    commonest = max(sorted(tested, key=lambda score: score.name), key=lambda score: score.true_count)
    return (
        f"Chance level (pooled images): {100 / len(tested):.1f} % guessing evenly among {len(tested)} "
        f"classes; {100 * commonest.true_count / largest.image_count:.1f} % always answering "
        f"{commonest.name}."
    )


def _version_notes(rows: Sequence[TableRow]) -> list[str]:
    older: dict[int | None, list[str]] = {}
    for row in rows:
        if row.of_other_version:
            older.setdefault(row.result_version, []).append(f"{row_label(row)} of {row.experiment}")
    return [
        f"OTHER VERSION {', '.join(labels)}: trained by version {version} of the code, whose training gives "
        f"other numbers than version {RESULT_VERSION} of now; the scores are recomputed from the predictions "
        "of then."
        for version, labels in older.items()
    ]


def _row_notes(row: TableRow, name: str) -> list[str]:
    notes: list[str] = []
    scores = row.scores
    if scores is not None:
        notes.extend(_interval_note(name, scores))
        notes.extend(_odd_data_notes(name, scores))
        if row.selection_score is not None and row.optimism_gap is not None and not row.leaks:
            notes.append(
                f"{name}: inner score {100 * row.selection_score:.2f} % (it chose the configuration), outer "
                f"score {100 * scores.mean_of_folds:.2f} % (mean of folds), optimism gap "
                f"{100 * row.optimism_gap:+.2f} points."
            )
    if row.mask_quality:
        notes.append(mask_note(row))
    if row.problems:
        listed = "; ".join(f"fold {fold} {problem}" for fold, problem in row.problems.items())
        notes.append(f"INCOMPLETE {name}: {listed}. Complete it with `{row.command}`.")
    return notes


def _odd_data_notes(name: str, scores: Scores) -> list[str]:
    """What some metrics cannot be computed from, so that their gaps are no surprise."""
    notes = []
    never = [score.name for score in scores.classes if not score.predicted_count and score.true_count]
    if never:
        notes.append(f"{name}: never answered {', '.join(never)}; F1 counts as 0 there.")
    single = [str(fold.fold) for fold in scores.folds if fold.class_count == 1]
    if single and len(scores.class_names) > 1:
        folds = "fold" if len(single) == 1 else "folds"
        notes.append(f"{name}: only one class is tested in {folds} {', '.join(single)}.")
    if scores.subject_count == 1:
        notes.append(f"{name}: one subject is tested, so there is no interval over subjects.")
    return notes


def _comparison_note(comparison: Comparison, where: str, comparison_count: int) -> str:
    return (
        f"{comparison.first.title} minus {row_label(comparison.second)}{where}: "
        f"{100 * comparison.difference:+.2f} points of pooled accuracy on the same "
        f"{comparison.image_count} images of {comparison.subject_count} subjects "
        f"({comparison.differing_subjects} differ); exact sign-flip test over subjects "
        f"p = {p_value_text(comparison.p_value)}, Holm-corrected over {comparison_count}: "
        f"{p_value_text(comparison.holm_p_value)}."
    )


def _interval_note(name: str, scores: Scores) -> list[str]:
    """Near 100 % the errors themselves, and whatever the interval has to say about itself."""
    interval = scores.pooled_image_interval
    caveat = interval.caveat if interval else None
    if scores.pooled_image_accuracy < NEAR_CEILING and caveat is None:
        return []
    return [
        f"{name}: {scores.error_count} errors in {scores.image_count} images, by "
        f"{scores.subjects_with_errors} of {scores.subject_count} subjects{f'; {caveat}' if caveat else ''}."
    ]


def _why_no_best(rows: Sequence[TableRow]) -> str:
    if any(not row.complete for row in rows):
        return "a row is incomplete"
    if any(row.leaks for row in rows):
        return f"a row was {LEAKAGE}"
    if any(row.scores is None or row.scores.pooled_image_interval is None for row in rows):
        return "a row has no interval"
    if len({(row.data_hash, row.fold_rule, row.chosen_folds) for row in rows}) > 1:
        return "the rows were tested on other prepared data, by another fold rule or on other folds"
    return "the 95 % intervals of the best ones overlap"


def _reported_notes(section: Section) -> list[str]:
    notes = [REPORTED_NOTE]
    protocols = dict.fromkeys(
        (result.classes, result.frames, result.folds) for result in section.reported if result.our_method
    )
    notes += [
        f"Protocol of the reported rows that the paper's authors ran: {classes} classes, {frames}, folds: "
        f"{folds}; of the rows quoted from elsewhere it is not stated."
        for classes, frames, folds in protocols
    ]
    if any(result.statistic == "one 9:1 split" for result in section.reported):
        notes.append(
            "The reported numbers of this data set are of one random 9:1 split, not a mean of folds."
        )
    changed = sorted(
        block.preset_text
        for block in section.blocks
        if block.preset in PUBLISHED and block.preset_text != block.preset
    )
    if changed:
        notes.append(
            f"Our rows ran with other settings than the published ones (preset {'; preset '.join(changed)}): "
            "not comparable with the reported ones."
        )
    other = sorted({block.preset for block in section.blocks} - set(PUBLISHED))
    if other:
        notes.append(
            f"Our rows ran with the preset {', '.join(other)}, not the paper's image size and schedule: "
            "not comparable with the reported ones."
        )
    return notes
