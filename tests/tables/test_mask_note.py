from __future__ import annotations

import dataclasses

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.aggregation.table_row import TableRow
from platform.models.masks.quality import MaskQuality
from platform.tables.mask_note import mask_note
from tests.fake_runs import demo_experiment

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
        "-2.7 points. Mean of 3 folds, 84 test faces."
    )


def test_a_fold_without_the_numbers_is_not_passed_over_in_silence(row: TableRow) -> None:
    assert note(row, FIRST, SECOND).endswith("Mean of 2 of 3 finished folds, 63 test faces.")


def test_one_fold_without_a_stage_1_says_so(row: TableRow) -> None:
    alone = dataclasses.replace(FIRST, stage1_error=None, stage1_nearest_share=None, drift=None)
    text = note(dataclasses.replace(row, fold_count=1), alone)
    assert "without a stage 1" in text
    assert text.endswith("Mean of 1 fold, 42 test faces.")
