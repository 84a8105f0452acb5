from __future__ import annotations

import dataclasses
import re
from typing import Any

import numpy as np
import pytest

from platform.aggregation.aggregate import aggregate_experiment, aggregate_row
from platform.aggregation.seeds import SeedGroup, seed_groups
from platform.aggregation.table_row import TableRow
from platform.models.masks.quality import MaskQuality
from platform.runs.store import ResultsStore
from platform.tables.mask_note import mask_note, seeds_mask_note
from platform.tables.notes import section_notes
from platform.tables.table import build_table
from tests.fake_runs import demo_experiment, row_with_masks, write_experiment, write_row

FIRST = MaskQuality(
    face_count=42,
    class_count=7,
    error=0.070,
    constant_error=0.068,
    nearest_share=0.30,
    constant_nearest_share=0.14,
    chance_level=1 / 7,
    stage1_error=0.066,
    stage1_nearest_share=0.34,
    drift=0.0031,
)
SECOND = dataclasses.replace(FIRST, face_count=21, error=0.072, constant_error=0.070, nearest_share=0.32)


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> TableRow:
    store, experiment = demo_experiment(tmp_path_factory.mktemp("runs"))
    return aggregate_experiment(store, experiment)[0].row


def note(row: TableRow, *qualities: MaskQuality) -> str:
    return mask_note(dataclasses.replace(row, mask_quality=dict(enumerate(qualities))))


def test_the_sentence_holds_the_means_beside_what_costs_nothing(row: TableRow) -> None:
    assert note(row, FIRST, SECOND, SECOND) == (
        "Masks of FMPN (resnet18): MSE 0.0713 (constant mean training mask: 0.0693); 31 % of predicted masks "
        "are nearest to the mask of their true class (chance: 14 %, constant mask: 14 %). Stage 2 changed "
        "the masks (MSE 0.0031 from stage 1), raised their error by 0.0053 and changed the nearest share by "
        "-2.7 points. Mean of 3 folds, 84 test faces. These numbers were measured when the fold runs ended. "
        "No errors of single faces were stored, so they cannot be recomputed, and the difference from the "
        "constant mask has no interval."
    )


def test_a_fold_without_the_numbers_is_not_passed_over_in_silence(row: TableRow) -> None:
    assert "Mean of 2 of 3 finished folds, 63 test faces." in note(row, FIRST, SECOND)


def test_one_fold_without_a_stage_1_says_so(row: TableRow) -> None:
    alone = dataclasses.replace(FIRST, stage1_error=None, stage1_nearest_share=None, drift=None)
    text = note(dataclasses.replace(row, fold_count=1), alone)
    assert "without a stage 1" in text
    assert "Mean of 1 fold, 42 test faces." in text


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ResultsStore:
    return ResultsStore(tmp_path_factory.mktemp("masks"))


def with_masks(store: ResultsStore, excess: float, **options: Any) -> TableRow:
    row = row_with_masks(store, excess, **options)
    return aggregate_row(store, write_experiment(store, [row]), row).row


@pytest.mark.parametrize(
    ("excess", "said"),
    [
        (0.012, "are farther from the masks of the true classes than the constant mean mask is: MSE +0.01"),
        (-0.012, "are closer to the masks of the true classes than the constant mean mask is: MSE -0.01"),
        (0.0, "cannot be distinguished from the constant mean mask by their distance to the masks of the"),
    ],
)
def test_the_verdict_has_its_interval_subjects_and_seed(
    store: ResultsStore, excess: float, said: str
) -> None:
    text = mask_note(with_masks(store, excess))
    assert f"FMPN's predicted masks {said}" in text
    assert re.search(
        r"over all 189 faces \(95 % CI [+-]0\.\d{4} to [+-]0\.\d{4}; 9 subjects, one seed\)", text
    )
    assert "has no interval" not in text


def test_classes_are_named_on_their_side(store: ResultsStore) -> None:
    text = mask_note(with_masks(store, 0.03))
    assert text.endswith(
        "By class (intervals not corrected for their number): farther for anger, contempt, disgust, fear, "
        "happiness, sadness, surprise."
    )


def test_folds_of_earlier_versions_are_counted(store: ResultsStore) -> None:
    text = mask_note(with_masks(store, 0.01, old=(1,)))
    assert "That of one fold was measured when the fold run ended. No errors of single faces" in text
    assert "constant mean mask is" not in text


def lines_of(store: ResultsStore, rows: list[dict[str, Any]]) -> tuple[SeedGroup, ...]:
    return seed_groups(aggregate_experiment(store, write_experiment(store, rows)))


def line(store: ResultsStore, *rows: dict[str, Any]) -> SeedGroup:
    (found,) = lines_of(store, list(rows))
    return found


def test_several_seeds_have_one_verdict(store: ResultsStore) -> None:
    rows = [row_with_masks(store, 0.012, seed=seed) for seed in (0, 1, 2)]
    text = seeds_mask_note(line(store, *rows), "FMPN (resnet18)")
    assert text.startswith("Masks of FMPN (resnet18): MSE 0.0")
    assert (
        "Mean over 3 seeds (0, 1, 2) of the means of 3 folds, 189 test faces each. FMPN's predicted" in text
    )
    assert "; 9 subjects, 3 seeds (0, 1, 2))" in text
    errors = [np.mean([one.error for one in row.mask_quality.values()]) for row in line(store, *rows).rows]
    assert f"MSE {np.mean(errors):.4f} (constant" in text
    (section,) = build_table(aggregate_experiment(store, write_experiment(store, rows))).sections
    assert sum(note.count("MSE") for note in section_notes(section)) == text.count("MSE")


def test_seeds_of_earlier_versions_have_none_and_say_so(store: ResultsStore) -> None:
    rows = [row_with_masks(store, 0.012, seed=seed, old=(1,)) for seed in (0, 1)]
    text = seeds_mask_note(line(store, *rows), "FMPN")
    assert "Not compared with the constant mask over seeds. No errors of single faces were stored" in text
    cnn = [write_row(store, "cnn", "CNN", seed=seed) for seed in (0, 1)]
    assert all(seeds_mask_note(one, "CNN") == "" for one in lines_of(store, cnn))
