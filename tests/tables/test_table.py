from __future__ import annotations

import dataclasses

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.errors import UserError
from platform.evaluation.accuracy_interval import AccuracyInterval
from platform.tables.notes import section_notes
from platform.tables.table import build_table
from tests.fake_runs import COMMAND, demo_experiment


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    store, experiment = demo_experiment(tmp_path_factory.mktemp("runs"))
    return aggregate_experiment(store, experiment)


def changed(row: AggregatedRow, **change: object) -> AggregatedRow:
    return dataclasses.replace(row, row=dataclasses.replace(row.row, **change))  # type: ignore[arg-type]


def notes_of(rows: list[AggregatedRow]) -> str:
    return "\n".join(note for section in build_table(rows).sections for note in section_notes(section))


def test_each_data_set_has_a_section_and_each_experiment_a_block(rows: list[AggregatedRow]) -> None:
    table = build_table([*rows, changed(rows[0], experiment="second")])
    assert [section.dataset for section in table.sections] == ["synthetic", "synthetic_wild"]
    blocks = table.sections[0].blocks
    assert [(block.experiment, len(block.rows)) for block in blocks] == [
        ("tune-synthetic-quick", 3),
        ("second", 1),
    ]


def test_the_inner_rule_says_how_test_subjects_enter_the_choice(rows: list[AggregatedRow]) -> None:
    assert (
        "Test subjects of one fold validate in others, so the choice is not fully independent of them."
        in notes_of(rows)
    )


@pytest.mark.parametrize("rule", ["inner", "test"])
def test_subjects_of_a_transfers_target_entered_no_choice(rows: list[AggregatedRow], rule: str) -> None:
    """The search ran on the data set that the masks come from."""
    target = changed(rows[3], selection_rule=rule)
    assert not target.row.leaks
    notes = notes_of([target])
    assert "Selected by" not in notes
    assert (
        f"Transferred: the configuration was selected by `{rule}` on synthetic, independently of the "
        "subjects of synthetic_wild." in notes
    )


def test_a_transfer_of_fixed_settings_says_that_nothing_chose_them(rows: list[AggregatedRow]) -> None:
    notes = notes_of([changed(rows[3], selection_rule="paper")])
    assert "Selected by `paper`: fixed settings" in notes
    assert "Transferred" not in notes


@pytest.mark.parametrize(("score", "explained"), [(0.0, True), (1.0, False), (None, False)])
def test_a_negative_gap_is_explained(rows: list[AggregatedRow], score: float | None, explained: bool) -> None:
    notes = notes_of([changed(rows[0], selection_score=score)])
    assert ("A negative optimism gap means that the test folds scored higher" in notes) == explained


def test_selection_on_test_images_is_called_leakage(rows: list[AggregatedRow]) -> None:
    assert "leakage" not in notes_of(rows)
    notes = notes_of([changed(rows[0], selection_rule="test"), rows[1]])
    assert "Selected by `test`: selected on the test folds: leakage." in notes
    assert "marked as best: a row was selected on the test folds: leakage" in notes
    assert "the optimism gap is zero by construction" in notes


def test_chance_and_paired_tests_and_lent_masks_are_noted(rows: list[AggregatedRow]) -> None:
    notes = notes_of(rows)
    assert "Chance level (pooled images): 14.3 % by uniform guessing among 7 classes" in notes
    assert "FMPN (resnet18) minus CNN (baseline) (resnet18): +" in notes
    assert "corrected by Holm's method over 3 differences" in notes
    assert "motion masks transferred from synthetic" in notes


def test_an_incomplete_row_is_noted_with_its_folds_and_command(rows: list[AggregatedRow]) -> None:
    notes = notes_of([changed(rows[0], problems={1: "is missing", 2: "failed (MemoryError)"}), rows[1]])
    incomplete = "INCOMPLETE. FMPN (resnet18): fold 1 is missing; fold 2 failed (MemoryError)"
    assert f"{incomplete}. Complete with `{COMMAND}`." in notes
    assert "FMPN minus" not in notes
    assert "No row is marked as best: a row is incomplete" in notes


def test_near_the_ceiling_errors_are_counted_and_the_interval_speaks_for_itself(
    rows: list[AggregatedRow],
) -> None:
    scores = rows[0].row.scores
    assert scores is not None
    quiet = AccuracyInterval(low=0.5, high=1.0, method="by hand", caveat=None)
    far = dataclasses.replace(scores, pooled_image_interval=quiet)
    assert "errors in" not in notes_of([changed(rows[0], scores=far)])
    near = dataclasses.replace(far, pooled_image_accuracy=0.99, error_count=2, subjects_with_errors=1)
    assert "2 errors in 189 images, by 1 of 9 subjects." in notes_of([changed(rows[0], scores=near)])
    speaking = dataclasses.replace(quiet, caveat="Poorly known.")
    caveat = dataclasses.replace(scores, pooled_image_interval=speaking)
    assert "of 9 subjects. Poorly known." in notes_of([changed(rows[0], scores=caveat)])


def test_what_some_numbers_cannot_be_made_of_is_noted(rows: list[AggregatedRow]) -> None:
    assert "never predicted" not in notes_of(rows)
    scores = rows[0].row.scores
    assert scores is not None
    fear = dataclasses.replace(scores.classes[3], predicted_count=0)
    folds = tuple(dataclasses.replace(fold, class_count=1) for fold in scores.folds[:2])
    odd = dataclasses.replace(scores, classes=(fear,), folds=folds, subject_count=1)
    notes = notes_of([changed(rows[0], scores=odd)])
    assert "FMPN (resnet18): never predicted fear; F1 of such a class counts as 0." in notes
    assert "folds 0, 1 test only one class." in notes
    assert "with one test subject, no 95 % CI" in notes


def test_rows_of_another_version_of_the_code_are_named(rows: list[AggregatedRow]) -> None:
    assert "OTHER VERSION" not in notes_of(rows)
    notes = notes_of([changed(rows[0], result_version=1), rows[1]])
    assert "OTHER VERSION FMPN (resnet18) of tune-synthetic-quick: trained by version 1" in notes


def test_no_row_is_best_among_rows_that_another_experiment_does_not_separate(
    rows: list[AggregatedRow],
) -> None:
    """FMPN is far above the baseline in its own experiment; another experiment's FMPN is as good."""
    (section,) = build_table(rows[:2]).sections
    assert section.best is section.lines[0]
    as_good = changed(rows[0], experiment="second", configurations="other")
    (section,) = build_table([*rows[:2], as_good]).sections
    assert section.best is None


def test_fold_runs_that_two_experiments_share_are_one_line_and_a_note_says_so(
    rows: list[AggregatedRow],
) -> None:
    (section,) = build_table([*rows[:2], changed(rows[0], experiment="second")]).sections
    assert [line.first.method for line in section.lines] == ["fmpn", "cnn"]
    assert section.best is section.lines[0]
    assert len(section.rows) == 3, "CSV and JSON keep every row"
    notes = "\n".join(section_notes(section))
    assert "because an earlier row has the same fold runs: FMPN (resnet18), of second." in notes


def test_a_reference_is_chosen_by_name_and_an_unknown_one_is_refused(rows: list[AggregatedRow]) -> None:
    for section in build_table(rows, "cnn_no_mask_loss").sections[:1]:
        assert section.reference is not None
        assert section.reference.first.method == "cnn_no_mask_loss"
    with pytest.raises(UserError, match="unknown reference 'fmnp'; did you mean 'fmpn'"):
        build_table(rows, "fmnp")


@pytest.mark.parametrize(
    ("dataset", "reported"),
    [("synthetic", 0), ("ckplus", 20), ("mmi", 14), ("affectnet", 3), ("oulu_casia", 5), ("bu3dfe", 6)],
)
def test_reported_rows_stand_beside_ours_on_the_papers_data_sets(
    rows: list[AggregatedRow], dataset: str, reported: int
) -> None:
    (section,) = build_table([changed(rows[0], dataset=dataset)]).sections
    assert len(section.reported) == reported
    assert any("one random 9:1 split" in note for note in section_notes(section)) == (dataset == "affectnet")
    assert any("Not comparable with the reported rows" in note for note in section_notes(section)) == bool(
        reported
    )


def test_the_papers_preset_is_comparable_with_the_paper(rows: list[AggregatedRow]) -> None:
    assert "Not comparable" not in notes_of([changed(rows[0], dataset="ckplus", preset="paper")])


def test_a_table_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        build_table([])
