"""Parts below the rows: folds, classes and confusion matrices, as grids of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from datasets.folds.rules import LEFT_OUT_SETS
from datasets.prepared.merged_names import sets_of
from platform.aggregation.scores import Confusion, Scores
from platform.aggregation.table_row import TableRow
from platform.evaluation.reported.fmpn_paper import RELEASED_FOLD_ACCURACIES, RELEASED_TEST_SIZES
from platform.tables.calibration_details import calibration_grids
from platform.tables.class_details import class_grid
from platform.tables.formatting import (
    ABSENT,
    folds_text,
    interval,
    percent,
    seed_mean_text,
    seeds_text,
    units_of,
)
from platform.tables.grid import Grid
from platform.tables.group_details import group_grids
from platform.tables.stability_part import STABILITY, stability_grids
from platform.tables.table import Section, Table

FOLDS_A_GRID = 10
CONFUSIONS: dict[str, Callable[[Scores], Confusion]] = {
    "images": lambda scores: scores.image_confusion,
    "sequences by mean score": lambda scores: scores.sequence_confusion,
    "sequences by majority": lambda scores: scores.majority_confusion,
}
"""The unit that each confusion matrix of a row counts."""
SEEDS = "seeds"
OF_SEQUENCES = "sequences by mean score"


def absent_parts(table: Table, parts: Sequence[str]) -> list[str]:
    """A sentence for each of `parts` that the table cannot have: it has no rows of that kind."""
    sentences = []
    if SEEDS in parts and not any(section.seed_groups for section in table.sections):
        sentences.append("part seeds is empty: every row has one training seed (--seeds N plans several)")
    if STABILITY in parts and not any(section.stability for section in table.sections):
        sentences.append(
            "part stability is empty: no complete row under further divisions (--repeats plans them)"
        )
    return sentences


def confusions_of(row: TableRow) -> dict[str, Confusion | None]:
    """The row's matrices by the unit that they count; None where a row that scores sequences has none."""
    scores = row.scores
    if scores is None:
        return dict.fromkeys(CONFUSIONS)
    return {
        what: None if row.scores_sequences and what != OF_SEQUENCES else pick(scores)
        for what, pick in CONFUSIONS.items()
    }


def fold_grids(section: Section) -> list[Grid]:
    """Accuracy of each fold of each row, ten folds a grid, with FMPN's released folds where they exist."""
    fold_count = max(row.fold_numbers[-1] for row in section.rows) + 1
    return [
        _fold_grid(section, range(start, min(start + FOLDS_A_GRID, fold_count)))
        for start in range(0, fold_count, FOLDS_A_GRID)
    ]


def _fold_grid(section: Section, folds: range) -> Grid:
    lines = []
    units = " or ".join(sorted({units_of(row) for row in section.rows}))
    for row in section.rows:
        found = row.scores.folds if row.scores else ()
        cells = {score.fold: (score.accuracy, score.image_count) for score in found}
        lines.append((section.label(row), row.experiment, *_fold_cells(cells, folds)))
    released = RELEASED_FOLD_ACCURACIES.get(section.reported_as)
    if released is not None and any(released_fold_accuracies(row) for row in section.rows):
        cells = dict(enumerate(zip(released, RELEASED_TEST_SIZES[section.reported_as], strict=True)))
        lines.append(("FMPN (reported)", "released by its authors", *_fold_cells(cells, folds)))
    return Grid(
        caption=f"Accuracy % of each fold on {section.title} ({units} tested)",
        header=("Row", "Experiment", *(_fold_heading(section, fold) for fold in folds)),
        rows=tuple(lines),
        left_columns=2,
    )


def _fold_heading(section: Section, fold: int) -> str:
    """`Fold 3`, or `Fold 1: mmi` where fold 1 tests a whole data set."""
    if all(row.fold_rule == LEFT_OUT_SETS for row in section.rows):
        return f"Fold {fold}: {sets_of(section.dataset)[fold]}"
    return f"Fold {fold}"


def released_fold_accuracies(row: TableRow) -> dict[int, float]:
    """Fold to the accuracy of FMPN's released fold, in [0, 1]; empty where the row has other folds."""
    if row.fold_rule != "paper" or (row.chosen_of or row.fold_count) != 10:
        return {}
    released = dict(enumerate(RELEASED_FOLD_ACCURACIES.get(row.reported_as, ())))
    return {fold: released[fold] for fold in row.fold_numbers if fold in released}


def _fold_cells(cells: Mapping[int, tuple[float, int]], folds: range) -> list[str]:
    return [f"{percent(cells[f][0])} ({cells[f][1]})" if f in cells else ABSENT for f in folds]


def class_grids(section: Section) -> list[Grid]:
    """Precision, recall, F1 and AUC of each class over pooled images or sequences, with 95 % CIs, and their
    unweighted means, for each row with scores."""
    return [
        class_grid(
            row.scores,
            f"Each class: {section.label(row)} of {row.experiment} on {row.dataset}, pooled {units_of(row)}",
            units_of(row).capitalize(),
        )
        for row in section.rows
        if row.scores is not None
    ]


def confusion_grids(section: Section) -> list[Grid]:
    """The confusion matrices of each row with scores; cells are shares of the true class, and counts."""
    return [
        Grid(
            caption=(
                f"Confusion matrix, {what}: {section.label(row)} of {row.experiment} on {row.dataset} "
                "(% of the true class, count)"
            ),
            header=("True class", *row.scores.class_names),
            rows=tuple(
                (name, *(_cell(count, sum(counts)) for count in counts))
                for name, counts in zip(row.scores.class_names, matrix, strict=True)
            ),
            left_columns=1,
        )
        for row in section.rows
        if row.scores is not None
        for what, matrix in confusions_of(row).items()
        if matrix is not None
    ]


def _cell(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} ({count})" if count else ABSENT


def seed_grids(section: Section) -> list[Grid]:
    """Each seed of each line of several seeds, and their mean with its interval over subjects and seeds."""
    if not section.seed_groups:
        return []
    lines = []
    for group in section.seed_groups:
        name = section.label(group)
        for row in group.rows:
            scores = row.scores
            lines.append(
                (
                    name,
                    f"seed {row.seed}, {row.experiment}",
                    folds_text(row),
                    ABSENT if scores is None else percent(scores.mean_of_folds),
                    ABSENT if scores is None else percent(scores.pooled_image_accuracy),
                    ABSENT if scores is None else interval(scores.pooled_image_interval),
                    ABSENT if scores is None else percent(scores.pooled_sequence_accuracy),
                )
            )
        lines.append(
            (
                name,
                f"mean of {seeds_text(group.finished_seeds)}",
                folds_text(group.first),
                seed_mean_text(group.mean_of_folds),
                seed_mean_text(group.pooled_image_accuracy),
                interval(group.pooled_interval),
                seed_mean_text(group.pooled_sequence_accuracy),
            )
        )
    pooled = " or ".join(sorted({f"pooled {units_of(group.first)} %" for group in section.seed_groups}))
    header = ("Row", "Seed", "Folds", "Mean of folds %", pooled, "95 % CI of pooled", "Pooled sequences %")
    return [
        Grid(
            caption=f"Each training seed on {section.title}",
            header=tuple(name[0].upper() + name[1:] for name in header),
            rows=tuple(lines),
            left_columns=2,
        )
    ]


PARTS: dict[str, Callable[[Section], list[Grid]]] = {
    SEEDS: seed_grids,
    "folds": fold_grids,
    "classes": class_grids,
    "confusions": confusion_grids,
    STABILITY: stability_grids,
    "calibration": calibration_grids,
    "groups": group_grids,
}
"""The parts by name, as `--parts` takes them."""
