from __future__ import annotations

import pytest

from platform.evaluation.reported.fmpn_paper import (
    PAPER,
    RELEASED_FOLD_ACCURACIES,
    RELEASED_TEST_SIZES,
    RESULTS,
)
from platform.evaluation.reported.papers import reported_counterpart
from platform.evaluation.reported.result import ReportedResult


def of(dataset: str) -> list[ReportedResult]:
    return [result for result in RESULTS if result.dataset == dataset]


@pytest.mark.parametrize(
    ("dataset", "rows", "fmpn"), [("ckplus", 9, 98.06), ("mmi", 9, 82.74), ("affectnet", 3, 61.52)]
)
def test_table_1_has_its_rows_and_ends_with_fmpn(dataset: str, rows: int, fmpn: float) -> None:
    results = of(dataset)
    assert len(results) == rows
    assert (results[-1].method, results[-1].accuracy_percent) == ("FMPN", fmpn)
    assert all(result.paper == PAPER for result in results)
    assert PAPER.source == "FMPN paper (arXiv 1902.08788), Table I"


def test_four_rows_of_table_1_scored_sequences() -> None:
    sequence_based = [r.method for r in of("mmi") if r.protocol == "sequence-based"]
    assert sequence_based == ["LBP-TOP", "HOG 3D", "DTAGN(Joint)", "STM-ExpLet"]


def test_averaging_is_stated_only_where_known() -> None:
    stated = {result.method: result.statistic for result in of("ckplus")}
    assert stated["FMPN"] == "mean of ten folds"
    assert stated["IACNN"] == "not stated"
    assert {result.statistic for result in of("affectnet")} == {"one 9:1 split"}


@pytest.mark.parametrize(("dataset", "images"), [("ckplus", 981), ("mmi", 624)])
def test_released_folds_cover_the_data_set(dataset: str, images: int) -> None:
    assert sum(RELEASED_TEST_SIZES[dataset]) == images
    assert len(RELEASED_FOLD_ACCURACIES[dataset]) == 10


def test_the_protocol_is_stated_only_for_rows_of_the_papers_own() -> None:
    for result in of("mmi"):
        stated = {result.classes, result.frames, result.folds}
        if result.our_method is None:
            assert stated == {"not stated"}
        else:
            assert stated == {"6", "3 around each sequence's centre", "10, by subject"}


@pytest.mark.parametrize(
    ("method", "dataset", "accuracy"),
    [("fmpn", "mmi", 82.74), ("cnn", "ckplus", 90.78), ("cnn_no_mask_loss", "affectnet", 60.01)],
)
def test_our_method_has_its_counterpart(method: str, dataset: str, accuracy: float) -> None:
    found = reported_counterpart(method, dataset)
    assert found is not None
    assert found.accuracy_percent == accuracy
