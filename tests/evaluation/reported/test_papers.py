from __future__ import annotations

import pytest

from datasets.catalogue import dataset_names
from platform.evaluation.reported.papers import RESULTS, reported_counterpart, reported_results


def test_a_set_that_no_paper_has_has_no_rows() -> None:
    assert reported_results("synthetic") == []


@pytest.mark.parametrize(
    ("dataset", "papers"),
    [
        ("ckplus", ["FMPN paper", "FERAtt paper", "DGCN paper"]),
        ("mmi", ["FMPN paper", "DGCN paper"]),
        ("affectnet", ["FMPN paper"]),
        ("bu3dfe", ["FERAtt paper"]),
        ("oulu_casia", ["DGCN paper"]),
    ],
)
def test_rows_come_paper_by_paper(dataset: str, papers: list[str]) -> None:
    names = [result.paper.name for result in reported_results(dataset)]
    assert list(dict.fromkeys(names)) == papers
    assert names == sorted(names, key=papers.index)
    assert dataset in dataset_names()


def test_a_method_has_at_most_one_counterpart_on_a_data_set() -> None:
    compared = [(result.our_method, result.dataset) for result in RESULTS if result.our_method]
    assert len(compared) == len(set(compared))


@pytest.mark.parametrize(
    ("method", "dataset", "accuracy"),
    [
        ("fmpn", "mmi", 82.74),
        ("feratt", "ckplus", 90.30),
        ("feratt_cls", "bu3dfe", 80.41),
        ("preactresnet18", "ckplus", 86.67),
        ("dgcn", "oulu_casia", 86.11),
    ],
)
def test_the_counterpart_of_a_method(method: str, dataset: str, accuracy: float) -> None:
    found = reported_counterpart(method, dataset)
    assert found is not None
    assert found.accuracy_percent == accuracy


def test_a_method_or_set_that_no_paper_has_has_no_counterpart() -> None:
    assert reported_counterpart("feratt", "mmi") is None
    assert reported_counterpart("fmpn", "synthetic") is None
    assert reported_counterpart("cnn", "oulu_casia") is None
