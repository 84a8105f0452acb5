from __future__ import annotations

import dataclasses

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.tables.details import class_grids, confusion_grids, fold_grids, released_fold_accuracies
from platform.tables.formatting import interval, interval_of_numbers, row_label
from platform.tables.grid import Grid, screen_grid
from platform.tables.notes import section_notes
from platform.tables.table import Section, build_table
from tests.fake_runs import demo_experiment


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    store, experiment = demo_experiment(tmp_path_factory.mktemp("runs"))
    return aggregate_experiment(store, experiment)[:2]


def section_of(rows: list[AggregatedRow], **change: object) -> Section:
    changed = [
        dataclasses.replace(row, row=dataclasses.replace(row.row, **change))  # type: ignore[arg-type]
        for row in rows
    ]
    (section,) = build_table(changed).sections
    return section


def test_each_fold_stands_beside_the_released_one(rows: list[AggregatedRow]) -> None:
    (grid,) = fold_grids(section_of(rows, dataset="mmi", fold_count=10))
    assert [line[0] for line in grid.rows] == [
        "FMPN (resnet18)",
        "CNN (baseline) (resnet18)",
        "FMPN (reported)",
    ]
    assert grid.rows[2][2:5] == ("77.80 (63)", "73.10 (108)", "66.70 (90)")
    assert grid.rows[0][2].endswith(" (63)")
    assert grid.rows[0][-1] == "–"  # three folds are there


@pytest.mark.parametrize("change", [{"fold_rule": "holdout"}, {"fold_count": 5}, {"dataset": "synthetic"}])
def test_other_folds_have_no_released_ones(rows: list[AggregatedRow], change: dict[str, object]) -> None:
    section = section_of(rows, **{"dataset": "ckplus", "fold_count": 10, **change})
    assert released_fold_accuracies(section.rows[0]) == {}
    assert len(fold_grids(section)[0].rows) == 2


def test_many_folds_come_ten_at_a_time(rows: list[AggregatedRow]) -> None:
    grids = fold_grids(section_of(rows, fold_count=23))
    assert [len(grid.header) - 2 for grid in grids] == [10, 10, 3]
    assert grids[2].header[-1] == "Fold 22"


def test_folds_that_test_a_data_set_bear_its_name(rows: list[AggregatedRow]) -> None:
    section = section_of(rows, dataset="ckplus+mmi", fold_rule="leave-one-set-out", fold_count=2)
    assert fold_grids(section)[0].header[-2:] == ("Fold 0: ckplus", "Fold 1: mmi")
    assert any("fold k tests data set k" in note for note in section_notes(section))


def test_control_masks_are_not_called_transferred(rows: list[AggregatedRow]) -> None:
    permuted, transferred, released = (
        section_of(rows, masks=masks, kind="crossval") for masks in ("permuted", "mmi", "released")
    )
    assert row_label(permuted.rows[0]) == "FMPN (resnet18, permuted masks)"
    assert row_label(transferred.rows[0]) == "FMPN (resnet18, masks of mmi)"
    assert row_label(released.rows[0]) == "FMPN (resnet18, released masks)"
    assert any(
        "control; each class has the motion mask of another class" in note for note in section_notes(permuted)
    )
    assert not any("transferred from permuted" in note for note in section_notes(permuted))


def test_classes_have_precision_recall_and_f1(rows: list[AggregatedRow]) -> None:
    first, _ = class_grids(section_of(rows))
    scores = rows[0].row.scores
    assert scores is not None
    anger = scores.classes[0]
    measures = scores.measures.classes[0]
    assert measures.auc is not None
    assert anger.precision is not None
    assert anger.recall is not None
    assert first.rows[0] == (
        "anger",
        "27",
        str(anger.predicted_count),
        f"{100 * anger.precision:.2f}",
        interval(measures.precision_interval),
        f"{100 * anger.recall:.2f}",
        interval(measures.recall_interval),
        f"{anger.f1:.3f}",
        interval_of_numbers(measures.f1_interval),
        f"{measures.auc.value:.3f}",
        interval_of_numbers(measures.auc.interval),
    )
    assert first.rows[-1][0] == "mean of classes"


def test_confusions_are_of_images_and_of_sequences_by_both_votes(rows: list[AggregatedRow]) -> None:
    grids = confusion_grids(section_of(rows))
    captions = [grid.caption.partition(":")[0] for grid in grids[:3]]
    assert captions == [
        "Confusion matrix, images",
        "Confusion matrix, sequences by mean score",
        "Confusion matrix, sequences by majority",
    ]
    scores = rows[0].row.scores
    assert scores is not None
    count = scores.image_confusion[0][0]
    assert grids[0].rows[0][1] == f"{100 * count / 27:.1f} ({count})"


def test_a_grid_is_aligned_on_the_screen() -> None:
    grid = Grid(caption="c", header=("a", "b"), rows=(("long", "1"), ("x", "100")), left_columns=1)
    assert screen_grid(grid) == ["c", "a       b", "---------", "long    1", "x     100"]


def test_a_grid_with_a_line_of_other_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        Grid(caption="c", header=("a", "b"), rows=(("x",),), left_columns=1)
