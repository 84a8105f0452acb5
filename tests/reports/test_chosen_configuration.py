from __future__ import annotations

from typing import Any

from platform.reports.chosen_configuration import chosen_configurations


def experiment(**changes: Any) -> dict[str, Any]:
    return {
        "preset": "quick",
        "config": {"method": "fmpn", "seed": 3, "lambda_mask": 10.0, "stage2_batch_size": 8, "folds": 4},
        **changes,
    }


def study(method: str, winner: int, params: dict[str, Any], *folds: int) -> dict[str, Any]:
    trials = [{"number": number, "params": params if number == winner else {}} for number in range(3)]
    return {"name": "s", "method": method, "winner": winner, "trials": trials, "outer_folds": list(folds)}


def test_without_a_search_it_is_what_was_given() -> None:
    (one,) = chosen_configurations(experiment())
    assert (one.title, one.origin) == ("FMPN", "given, not searched")
    assert one.departures == (("stage2_batch_size", "8", "16"),), "the seed and the plan are no departures"


def test_a_search_adds_what_its_winner_tried() -> None:
    params = {"lambda_mask": 0.5, "backbone": "vgg16_bn"}
    (one,) = chosen_configurations(experiment(studies=[study("fmpn", 2, params, 0, 1)]))
    assert one.origin == "trial 2 of 3 of the search s"
    assert ("lambda_mask", "0.5", "10") in one.departures
    assert "vgg16_bn" in {value for _, value, _ in one.departures}


def test_each_fold_of_a_nested_search_and_each_tuned_baseline_has_its_own() -> None:
    studies = [
        study(name, 1, {"classifier_learning_rate": 0.5}, fold) for name in ("fmpn", "cnn") for fold in (0, 1)
    ]
    found = chosen_configurations(experiment(studies=studies))
    assert [one.title for one in found] == [
        "FMPN, fold 0", "FMPN, fold 1", "CNN (baseline), fold 0", "CNN (baseline), fold 1",
    ]  # fmt: skip
    assert found[2].departures == (("classifier_learning_rate", "0.5", "0.001"),)


def test_a_method_that_is_not_known_here_is_shown_by_its_parameters() -> None:
    config = {"method": "mine", "filters": 5}
    (one,) = chosen_configurations(experiment(config=config, studies=[study("mine", 0, {"filters": 6}, 0)]))
    assert (one.title, one.departures) == ("mine", (("filters", "6", "–"),))
