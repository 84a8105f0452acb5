from __future__ import annotations

from typing import Any

from platform.cli.search_checks import any_trial_failed, unscored_trial_lines
from platform.reports.unscored_trials import failed_trials, invalid_trials, unscored_lines


def trial(number: int, state: str = "COMPLETE", **more: Any) -> dict[str, Any]:
    return {"number": number, "state": state, **more}


STUDY = {
    "name": "study",
    "trials": [
        trial(0, invalid="", failed=""),
        trial(
            1, "FAIL", invalid="", failed="fold 3: ValueError: loss is nan (runs/fold_runs/a/manifest.json)"
        ),
        trial(2, "FAIL", invalid="label_smoothing must be >= 0 and < 1, but got 3.", failed=""),
        trial(3, "PRUNED", invalid="", failed=""),
        trial(4, "FAIL"),
    ],
}


def test_failed_and_invalid_trials_are_told_apart_and_listed_with_their_reasons() -> None:
    assert [one["number"] for one in failed_trials(STUDY)] == [1, 4]
    assert [one["number"] for one in invalid_trials(STUDY)] == [2]
    assert unscored_lines(STUDY) == [
        "2 of 5 trials of study failed:",
        "  trial 1: fold 3: ValueError: loss is nan (runs/fold_runs/a/manifest.json)",
        "  trial 4: reason not stored",
        "1 of 5 trials of study were invalid configurations and did not run:",
        "  trial 2: label_smoothing must be >= 0 and < 1, but got 3.",
    ]


def test_nothing_is_said_and_the_status_is_0_where_all_trials_have_a_score() -> None:
    fine = {"name": "fine", "trials": [trial(0), trial(1, "PRUNED")]}
    assert unscored_lines(fine) == []
    assert not any_trial_failed({"studies": [fine]})
    assert any_trial_failed({"studies": [fine, STUDY]})
    assert unscored_trial_lines({"studies": [fine, STUDY]}) == unscored_lines(STUDY)
    only_invalid = {"name": "one", "trials": [trial(0), STUDY["trials"][2]]}  # type: ignore[index]
    assert not any_trial_failed({"studies": [only_invalid]})
