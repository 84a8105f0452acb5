from __future__ import annotations

import pytest

from platform.evaluation.reported.dgcn_paper import RESULTS


@pytest.mark.parametrize(
    ("dataset", "classes", "accuracies"),
    [
        ("ckplus", 7, (96.94, 97.08, 97.83, 97.53, 97.93)),
        ("mmi", 6, (77.68, 76.20, 78.86, 77.00, 81.53)),
        ("oulu_casia", 6, (83.96, 84.65, 86.39, 85.83, 86.11)),
    ],
)
def test_five_rows_on_each_data_set(dataset: str, classes: int, accuracies: tuple[float, ...]) -> None:
    found = [result for result in RESULTS if result.dataset == dataset]
    assert tuple(result.accuracy_percent for result in found) == accuracies
    assert {result.class_count for result in found} == {classes}


def test_the_whole_method_alone_is_compared_with_ours() -> None:
    assert {result.method for result in RESULTS if result.our_method == "dgcn"} == {"DGCN S1R1"}
    assert {result.our_method for result in RESULTS if result.method != "DGCN S1R1"} == {None}


def test_what_is_not_known_of_the_protocol_is_called_so() -> None:
    on_ckplus = RESULTS[0]
    said = (on_ckplus.statistic, on_ckplus.selection_rule, on_ckplus.frames, on_ckplus.folds)
    assert said == ("unknown",) * 4
