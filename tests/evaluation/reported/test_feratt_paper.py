from __future__ import annotations

import pytest

from platform.evaluation.reported.feratt_paper import RESULTS


@pytest.mark.parametrize("dataset", ["ckplus", "bu3dfe"])
def test_f1_is_the_harmonic_mean_of_precision_and_recall(dataset: str) -> None:
    found = [result.measures for result in RESULTS if result.dataset == dataset]
    assert len(found) == 6
    for one in found:
        assert one is not None
        # One printed value is 0.015 off what the printed precision and recall give.
        assert one.f1 == pytest.approx(2 / (1 / one.precision + 1 / one.recall), abs=0.02)


def test_the_numbers_of_the_whole_method() -> None:
    found = {(r.dataset, r.test_items): r for r in RESULTS if r.method == "FERAtt+Rep+Cls"}
    accuracies = {names: result.accuracy_percent for names, result in found.items()}
    assert accuracies == {
        ("ckplus", "real images"): 90.30,
        ("ckplus", "synthetic composites"): 85.15,
        ("bu3dfe", "real images"): 82.11,
        ("bu3dfe", "synthetic composites"): 77.90,
    }
    assert found["ckplus", "real images"].classes == "8 (with neutral)"
    assert found["bu3dfe", "real images"].classes == "7 (with neutral; inferred)"


def test_only_rows_on_real_images_are_compared_with_a_method_of_ours() -> None:
    compared = {(result.our_method, result.method) for result in RESULTS if not result.of_composites}
    assert compared == {
        ("preactresnet18", "PreActResNet18"),
        ("feratt_cls", "FERAtt+Cls"),
        ("feratt", "FERAtt+Rep+Cls"),
    }
    assert {result.our_method for result in RESULTS if result.of_composites} == {None}


def test_that_its_code_selects_on_test_subjects_is_said() -> None:
    assert {result.selection_rule for result in RESULTS} == {"composites of the test subjects"}
    assert {(result.statistic, result.frames) for result in RESULTS} == {("unknown", "unknown")}
