"""Proposals are the same from every process, whatever happened between two of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import fmean
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from platform.search.proposals import Proposer
from tests.search.test_samplers import choices, mixed

SIZE = 3
STARTUP_TRIALS = 10
"""TPE and GP draw so many at random first."""
MIXED_SAMPLERS = ["tpe", "random", "gp", "cmaes", "qmc"]


def score(params: dict[str, Any]) -> float:
    """Best at rate 1e-3, width 33, sgd."""
    return (
        -abs(math.log10(params["rate"]) + 3) - abs(params["width"] - 33) / 31 + (params["optimizer"] == "sgd")
    )


def new_proposer(sampler: str, **changes: Any) -> Proposer:
    return Proposer(mixed, sampler=sampler, study_seed=7, **changes)


def searched(
    proposer_for: Callable[[int], Proposer], trials: int, *, pruned: frozenset[int] = frozenset()
) -> list[FrozenTrial]:
    """A search whose trials' proposals come from `proposer_for(number)`."""
    study = optuna.create_study(direction="maximize")
    for number in range(trials):
        start = number - number % SIZE
        told = study.get_trials()
        params = proposer_for(number).propose(
            number, told[:start], generation_size=SIZE, siblings=told[start:number]
        )
        study.enqueue_trial(params)
        trial = study.ask()
        mixed(trial)
        if number in pruned:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, score(params))
    return study.get_trials()


@pytest.mark.parametrize("sampler", MIXED_SAMPLERS)
def test_a_driver_killed_after_every_proposal_proposes_the_same(sampler: str) -> None:
    """24 trials: well past the start-up trials of TPE and GP, and over two generations of CMA-ES."""
    trials = 24 if sampler != "gp" else 15
    one = new_proposer(sampler)
    pruned = frozenset({4, 10, 13})
    quiet = searched(lambda number: one, trials, pruned=pruned)
    killed = searched(lambda number: new_proposer(sampler), trials, pruned=pruned)
    assert [trial.params for trial in killed] == [trial.params for trial in quiet]


@pytest.mark.parametrize("sampler", MIXED_SAMPLERS)
def test_no_two_trials_of_a_generation_are_the_same(sampler: str) -> None:
    proposer = new_proposer(sampler)
    trials = searched(lambda number: proposer, 15)
    assert len({str(trial.params) for trial in trials}) == 15


@pytest.mark.parametrize("sampler", MIXED_SAMPLERS)
def test_another_study_seed_proposes_otherwise(sampler: str) -> None:
    one = Proposer(mixed, sampler=sampler, study_seed=1).propose(0, [], generation_size=SIZE)
    other = Proposer(mixed, sampler=sampler, study_seed=2).propose(0, [], generation_size=SIZE)
    assert one != other


@pytest.mark.parametrize(("sampler", "trials"), [("tpe", 36), ("gp", 18), ("cmaes", 60)])
def test_a_sampler_that_learns_finds_better_configurations_than_it_began_with(
    sampler: str, trials: int
) -> None:
    proposer = new_proposer(sampler)
    values = [trial.value or 0.0 for trial in searched(lambda number: proposer, trials)]
    assert fmean(values[STARTUP_TRIALS:]) > fmean(values[:STARTUP_TRIALS]) + 0.2


def test_earlier_results_reach_the_proposal_and_siblings_results_do_not() -> None:
    proposer = new_proposer("tpe")
    told = searched(lambda number: proposer, 15)
    params = proposer.propose(15, told, generation_size=SIZE)
    for trial in told:
        trial.value = -(trial.value or 0.0)
    assert proposer.propose(15, told, generation_size=SIZE) != params
    assert proposer.propose(15, told[:12], generation_size=SIZE, siblings=told[12:]) == proposer.propose(
        15, told[:12], generation_size=SIZE
    )


def test_a_grid_gives_every_configuration_once_and_then_ends() -> None:
    first = {"net": "deep", "pretrained": True, "depth": 50}
    proposer = Proposer(choices, sampler="grid", study_seed=0, first=[first])
    assert proposer.most_trials == 8
    points = [proposer.propose(number, [], generation_size=SIZE) for number in range(8)]
    assert points[0] == first
    assert len({str(point) for point in points}) == 8
    assert new_proposer("tpe").most_trials is None


@pytest.mark.parametrize("sampler", ["tpe", "random", "gp", "qmc"])
def test_several_objectives_are_proposed_for(sampler: str) -> None:
    directions = ["maximize", "minimize"]
    proposer = new_proposer(sampler, directions=directions)
    study = optuna.create_study(directions=directions)
    for number in range(12):
        study.enqueue_trial(proposer.propose(number, study.trials, generation_size=1))
        trial = study.ask()
        study.tell(trial, [score(mixed(trial)), float(trial.params["width"])])
    assert len({str(trial.params) for trial in study.trials}) == 12


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_trial_that_ended_late_is_where_its_number_puts_it(sampler: str) -> None:
    """Asynchronous searches: what a proposer remembers of the trials before it must not count."""
    trials = searched(lambda number: Proposer(mixed, sampler=sampler, study_seed=7), 24)
    remembering = new_proposer(sampler)
    remembering.propose(24, [trial for trial in trials if trial.number != 11], generation_size=SIZE)
    assert remembering.propose(25, trials, generation_size=SIZE) == new_proposer(sampler).propose(
        25, trials, generation_size=SIZE
    )


def test_a_proposal_copies_only_what_ended_since_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number grows with the search; copying all of them for each proposal took most of its time."""
    copied: list[int] = []
    add_trials = optuna.Study.add_trials

    def counting(study: optuna.Study, trials: Any) -> None:
        trials = list(trials)
        copied.append(len(trials))
        add_trials(study, trials)

    monkeypatch.setattr(optuna.Study, "add_trials", counting)
    one = new_proposer("tpe")
    searched(lambda number: one, 30)
    assert sum(copied) == 30 - SIZE
