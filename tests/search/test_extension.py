"""Trials are added once, however often the command that adds them is killed and run again."""

from __future__ import annotations

import optuna
import pytest

from platform.errors import UserError
from platform.search.extension import record_end, record_wanted, wanted_of_baselines, wanted_trials

PLANNED = 12


def started(study: optuna.Study, extend: int = 0, planned: int = PLANNED) -> int:
    """A start of the command, killed before its end; the number of trials that it wanted."""
    trials = wanted_trials(study, planned, extend)
    record_wanted(study, trials, extend)
    return trials


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study(study_name="study")


@pytest.fixture
def finished(study: optuna.Study) -> optuna.Study:
    """A search that came to its end."""
    started(study)
    record_end(study)
    return study


def test_a_search_has_the_trials_that_are_planned(study: optuna.Study) -> None:
    assert wanted_trials(None, PLANNED, 0) == PLANNED
    assert started(study) == PLANNED
    assert started(study, planned=15) == 15
    assert started(study, planned=5) == 5


def test_a_killed_extension_adds_nothing_more_when_it_is_run_again(finished: optuna.Study) -> None:
    assert [started(finished, 5) for _ in range(3)] == [17, 17, 17]


def test_an_extension_that_came_to_its_end_can_be_extended_again(finished: optuna.Study) -> None:
    started(finished, 5)
    record_end(finished)
    assert started(finished, 5) == 22
    record_end(finished)
    assert started(finished, 1) == 23


def test_an_extension_counts_from_the_study_and_not_from_the_plan(finished: optuna.Study) -> None:
    assert started(finished, 5, planned=100) == 17


def test_without_extend_an_interrupted_extension_goes_on(finished: optuna.Study) -> None:
    started(finished, 5)
    assert started(finished) == 17
    assert started(finished, 5) == 17
    record_end(finished)
    assert started(finished) == 17
    assert started(finished, 5) == 22


def both_started(study: optuna.Study, baselines: int, extend: int = 0, planned: int = PLANNED) -> list[int]:
    """A start that tunes baselines too, killed before its end; trials of the method and of a baseline."""
    wanted = [wanted_trials(study, planned, extend), wanted_of_baselines(study, baselines, extend)]
    record_wanted(study, wanted[0], extend, wanted[1])
    return wanted


def test_an_extension_adds_as_many_trials_to_each_baseline(study: optuna.Study) -> None:
    assert wanted_of_baselines(None, 8, 0) == 8
    assert both_started(study, 8) == [12, 8]
    record_end(study)
    assert [both_started(study, 8, 5) for _ in range(2)] == [[17, 13]] * 2
    assert both_started(study, 8) == [17, 13], "an interrupted extension goes on without --extend too"
    record_end(study)
    assert both_started(study, 8) == [17, 13]
    assert both_started(study, 8, 1) == [18, 14]


def test_baselines_that_are_tuned_later_have_the_trials_that_are_asked_for(finished: optuna.Study) -> None:
    assert both_started(finished, 8, 5) == [17, 8]
    assert both_started(finished, 8, 5) == [17, 8]
    record_end(finished)
    assert both_started(finished, 9) == [17, 9]


def test_the_record_of_a_search_without_tuned_baselines_is_what_it_was(study: optuna.Study) -> None:
    started(study)
    assert study.user_attrs["wanted"] == {"trials": PLANNED, "extended_by": 0, "done": False}


def test_looking_changes_nothing(finished: optuna.Study) -> None:
    before = finished.user_attrs
    wanted_trials(finished, PLANNED, 5)
    assert finished.user_attrs == before


def test_no_trial_is_ever_taken_away(study: optuna.Study) -> None:
    """Those begun count; those that only wait to be tried first do not."""
    started(study, planned=4)
    study.enqueue_trial({"x": 0.5})
    study.enqueue_trial({"x": 0.6})
    for _ in range(3):
        study.ask({"x": optuna.distributions.FloatDistribution(0, 1)})
    study.enqueue_trial({"x": 0.7})
    assert started(study, planned=3) == 3
    with pytest.raises(
        UserError, match=r"study has 3, but --trials is 2; pass --trials 3 or more, or --name"
    ):
        wanted_trials(study, 2, 0)


def test_only_a_finished_study_is_extended(study: optuna.Study) -> None:
    with pytest.raises(UserError, match="no study of this name exists"):
        wanted_trials(None, PLANNED, 5)
    started(study)
    with pytest.raises(UserError, match=r"study is not finished \(to 12 trials\); run .* without --extend"):
        wanted_trials(study, PLANNED, 5)


def test_another_extension_waits_for_the_end_of_the_first(finished: optuna.Study) -> None:
    started(finished, 5)
    with pytest.raises(UserError, match=r"is being extended by 5 \(to 17 trials\)"):
        wanted_trials(finished, PLANNED, 6)
