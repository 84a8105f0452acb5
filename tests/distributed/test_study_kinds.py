"""Kinds of searches without Ray: invalid proposals, several objectives, a grid, asynchronous, longer ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import optuna
import pytest
from ray.tune.search import Searcher

from platform.config.configuration import Plan, plan_with
from platform.distributed.search import described_trials, front_of, run_search, winner
from platform.distributed.studies import Studies
from platform.distributed.study_search import StudySearch
from platform.errors import UserError
from platform.experiments.method_search import MethodSearch
from platform.runs.fold_tasks import PlannedData
from platform.runs.store import ResultsStore
from platform.search.definition import SearchDefinition
from platform.search.storage import open_storage
from tests.distributed.test_study_search import BASE, SCOPE, next_trial, run_folds, states

Make = Callable[..., StudySearch]


def suggest_batch(trial: optuna.Trial) -> dict[str, Any]:
    """Half of all batch sizes are no configuration."""
    return {"stage2_batch_size": trial.suggest_int("stage2_batch_size", -31, 32)}


def suggest_invalid(trial: optuna.Trial) -> dict[str, Any]:
    return {"stage2_batch_size": trial.suggest_int("stage2_batch_size", -64, 0)}


def suggest_choice(trial: optuna.Trial) -> dict[str, Any]:
    return {"stage2_batch_size": trial.suggest_categorical("stage2_batch_size", [2, 4, 8, 16, 32])}


def definition(suggest: Callable[[optuna.Trial], dict[str, Any]]) -> SearchDefinition:
    return SearchDefinition(name="study", suggest=suggest, first=(), settings={"folds": 3})


@pytest.fixture
def make(tmp_path: Path, plan: Plan, planned: PlannedData) -> Make:
    """Starts a search in a folder, as a new driver would."""

    def start(
        suggest: Callable[[optuna.Trial], dict[str, Any]], folder: str = "runs", **changes: Any
    ) -> StudySearch:
        return StudySearch(
            definition(suggest),
            storage=open_storage(tmp_path / folder / "study.journal"),
            store=ResultsStore(tmp_path / folder),
            base=BASE,
            plan=plan_with(plan, **changes),
            planned=planned,
            scope=SCOPE,
        )

    return start


def right_of(trial: dict[str, Any]) -> int:
    """How many of six images each subject has right: 1 to 6, by batch size."""
    size: int = trial["overrides"]["stage2_batch_size"]
    return 1 + size % 6


def finish(
    search: StudySearch, restarted: Callable[[], StudySearch] | None = None, **result: Any
) -> StudySearch:
    """Run a search to its end, a generation at a time; `restarted` makes a new driver before each."""
    generation = 0
    while True:
        search = restarted() if restarted else search
        running: dict[str, dict[str, Any]] = {}
        while True:
            name = f"{generation}/{len(running)}"
            trial = search.suggest(name)
            if not isinstance(trial, dict):
                break
            running[name] = trial
            run_folds(search, trial, right_of(trial))
        for name, ended in running.items():
            search.on_trial_complete(name, {"parameters": ended["overrides"]["stage2_batch_size"], **result})
        if not running:
            assert trial == Searcher.FINISHED
            return search
        generation += 1


def told(search: StudySearch) -> list[tuple[Any, ...]]:
    return [(t.number, t.state.name, t.params, t.values, t.user_attrs) for t in search.study.get_trials()]


def test_an_invalid_proposal_is_recorded_with_its_reason_and_the_search_goes_on(make: Make) -> None:
    search = finish(make(suggest_batch, trials=8))
    ends = states(search)
    assert len(ends) == 8
    assert {"COMPLETE", "FAIL"} == set(ends)
    for trial in described_trials(search):
        size = trial["params"]["stage2_batch_size"]
        if size >= 1:
            assert (trial["state"], trial["invalid"], trial["folds"]) == ("COMPLETE", "", 3)
        else:
            assert trial["invalid"].startswith(f"stage2_batch_size must be >= 1, but got {size}")
            assert (trial["state"], trial["score"], trial["runs"]) == ("FAIL", None, [])


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "qmc"])
def test_a_search_with_invalid_proposals_is_the_same_after_kills(make: Make, sampler: str) -> None:
    quiet = finish(make(suggest_batch, "quiet", trials=12, sampler=sampler))
    killed = finish(quiet, lambda: make(suggest_batch, "killed", trials=12, sampler=sampler))
    assert told(killed) == told(quiet)


def test_ten_invalid_proposals_in_a_row_end_the_search_with_the_last_reason(
    make: Make, tmp_path: Path, plan: Plan, planned: PlannedData
) -> None:
    search = make(suggest_invalid, trials=30)
    assert search.suggest("a") == Searcher.FINISHED
    assert states(search) == ["FAIL"] * 10
    size = search.study.trials[9].params["stage2_batch_size"]
    assert make(suggest_invalid, trials=30).suggest("a") == Searcher.FINISHED
    assert len(search.study.trials) == 10, "a restart tries nothing more"
    with pytest.raises(UserError, match=rf"10 in a row .* were invalid; the last: .* got {size}; .*--name"):
        run_search(
            [MethodSearch(base=BASE, plan=plan_with(plan, trials=10), scopes=(SCOPE,))],
            [definition(suggest_invalid)],
            dispatcher=None,
            store=search._store,
            storage=open_storage(tmp_path / "runs" / "study.journal"),
            planned=planned,
        )


def test_a_generation_of_which_the_last_proposal_is_invalid_is_told(make: Make) -> None:
    """Its other trial ended before the invalid one was proposed."""
    search = make(suggest_batch, trials=2)
    search.study.enqueue_trial({"stage2_batch_size": 8})
    search.study.enqueue_trial({"stage2_batch_size": 0})
    run_folds(search, next_trial(search, "a"), 3)
    search.on_trial_complete("a", {})
    assert states(search) == ["RUNNING", "WAITING"]
    assert search.suggest("b") == Searcher.FINISHED
    assert states(search) == ["COMPLETE", "FAIL"]


def failing_at(calls: set[int]) -> Callable[[optuna.Trial], dict[str, Any]]:
    """A space whose file is found invalid when it is asked for the n-th time. A trial asks twice:
    when it is proposed, and when it is in the study."""
    count = itertools.count(1)

    def suggest(trial: optuna.Trial) -> dict[str, Any]:
        if next(count) in calls:
            raise UserError("line 7 of search_spaces/mine.py")
        return suggest_choice(trial)

    return suggest


@pytest.mark.parametrize("ended_before", [False, True])
@pytest.mark.parametrize(("call", "left"), [(3, []), (4, ["RUNNING"])])
def test_a_space_that_fails_late_ends_the_search_and_the_corrected_one_goes_on_with_its_trial(
    make: Make, ended_before: bool, call: int, left: list[str]
) -> None:
    search = make(failing_at({call}), trials=6)
    run_folds(search, next_trial(search, "a"), 3)
    if ended_before:
        search.on_trial_complete("a", {})
    assert search.suggest("b") == Searcher.FINISHED
    if not ended_before:
        assert states(search) == ["RUNNING", *left]
        search.on_trial_complete("a", {})
    assert states(search) == ["COMPLETE", *left]
    assert search.suggest("c") == Searcher.FINISHED
    corrected = finish(make(suggest_choice, trials=6))
    assert states(corrected) == ["COMPLETE"] * 6


def test_a_search_whose_space_was_corrected_is_the_same_search(make: Make) -> None:
    quiet = finish(make(suggest_choice, "quiet", trials=6))
    search = make(failing_at({7}), "corrected", trials=6)
    for name in ("a", "b", "c"):
        run_folds(search, trial := next_trial(search, name), right_of(trial))
        search.on_trial_complete(name, {})
    assert search.suggest("d") == Searcher.FINISHED
    assert states(search) == ["COMPLETE"] * 3
    assert told(finish(make(suggest_choice, "corrected", trials=6))) == told(quiet)


def test_a_fault_of_the_space_ends_all_studies_of_the_search(make: Make) -> None:
    ended, failing = make(suggest_choice, "ended", trials=6), make(failing_at({1}), "failing", trials=6)
    both = Studies([ended, failing])
    for name in ("a", "b"):
        trial = both.suggest(name)
        assert isinstance(trial, dict)
        run_folds(ended, trial, 3)
    both.on_trial_complete("b", {})
    assert both.suggest("c") == Searcher.FINISHED
    assert states(ended) == ["RUNNING", "COMPLETE"]
    both.on_trial_complete("a", {})
    assert states(ended) == ["COMPLETE", "COMPLETE"]
    assert states(failing) == []


def test_a_fault_of_the_space_is_what_the_search_raises(
    make: Make, tmp_path: Path, plan: Plan, planned: PlannedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "platform.distributed.search._run_trials", lambda search, trainable, trials: search.suggest("a")
    )
    with pytest.raises(UserError, match=r"^line 7 of search_spaces/mine\.py$"):
        run_search(
            [MethodSearch(base=BASE, plan=plan, scopes=(SCOPE,))],
            [definition(failing_at({2}))],
            dispatcher=None,
            store=ResultsStore(tmp_path),
            storage=open_storage(tmp_path / "study.journal"),
            planned=planned,
        )


OBJECTIVES = ("accuracy", "macro_f1", "parameters")


def test_several_objectives_have_a_front_and_the_most_accurate_of_it_is_chosen(make: Make) -> None:
    search = finish(make(suggest_choice, trials=5, sampler="grid", objectives=OBJECTIVES))
    trials = {trial["params"]["stage2_batch_size"]: trial for trial in described_trials(search)}
    assert sorted(trials) == [2, 4, 8, 16, 32]
    for size, trial in trials.items():
        # Batch size stands in for the number of parameters.
        assert trial["values"]["parameters"] == size
        assert trial["values"]["accuracy"] == pytest.approx((1 + size % 6) / 6)
        assert 0 < trial["values"]["macro_f1"] < 1
        assert trial["score"] == trial["values"]["accuracy"]
    # Accuracies 3/6, 5/6, 3/6, 5/6, 3/6: size 2 is the smallest, size 4 the smallest of the accurate ones.
    assert [size for size in trials if trials[size]["on_front"]] == [
        size for size in trials if size in (2, 4)
    ]
    assert front_of(search) == [trials[4]["number"], trials[2]["number"]]
    assert winner(search).configuration.stage2_batch_size == 4


def test_a_trial_is_not_complete_before_what_it_is_judged_by_is_measured(make: Make) -> None:
    search = make(suggest_choice, trials=2, objectives=("accuracy", "latency"))
    run_folds(search, next_trial(search, "a"), 3)
    search.on_trial_complete("a", {"folds": 3})  # interrupted between the last fold and the measuring
    assert states(search) == ["RUNNING"]


def test_with_several_objectives_nothing_is_pruned(make: Make) -> None:
    search = make(suggest_choice, objectives=("accuracy", "parameters"))
    for name in ("a", "b"):
        run_folds(search, next_trial(search, name), 6)
    for name in ("a", "b"):
        search.on_trial_complete(name, {"parameters": 1})
    run_folds(search, next_trial(search, "c"), 0, folds=2)
    assert not search.should_prune("c", 2)


def test_a_grid_ends_when_every_configuration_was_tried(make: Make) -> None:
    search = finish(make(suggest_choice, trials=100, sampler="grid"))
    assert search.is_finished()
    assert sorted(t.params["stage2_batch_size"] for t in search.study.trials) == [2, 4, 8, 16, 32]


def test_a_search_made_longer_is_the_search_that_was_long_from_the_start(make: Make) -> None:
    long = finish(make(suggest_choice, "long", trials=7, sampler="qmc"))
    finish(make(suggest_choice, "short", trials=3, sampler="qmc"))
    assert told(finish(make(suggest_choice, "short", trials=7, sampler="qmc"))) == told(long)


def test_asynchronously_a_trial_follows_as_soon_as_another_ends(make: Make) -> None:
    search = make(suggest_choice, trials=4, asynchronous=True)
    running = {name: next_trial(search, name) for name in ("a", "b")}
    assert search.suggest("c") is None, "two are in flight"
    run_folds(search, running["b"], 3)
    search.on_trial_complete("b", {})
    assert states(search) == ["RUNNING", "COMPLETE"]
    assert next_trial(search, "c")["number"] == 2
    again = make(suggest_choice, trials=4, asynchronous=True)
    assert next_trial(again, "x") == running["a"], "a trial that was interrupted is adopted"


def test_a_study_scored_on_part_0_of_every_fold_is_another_study(make: Make) -> None:
    """Its scores are other people's. Rules that score all parts, or the tests, are what they were."""
    from platform.experiments.study_definition import search_settings

    search = make(suggest_choice)
    settings = search_settings(BASE, search._plan, search._planned)
    plan = plan_with(search._plan, selection_rule="nested", rounds=(2, 2, 1))
    nested = search_settings(BASE, plan, search._planned)
    assert "inner_parts" not in nested
    study = optuna.create_study()
    before = {name: value for name, value in settings.items() if name != "inner_parts"}
    changed(search.definition, settings=before).check(study)
    with pytest.raises(UserError, match=r"inner_parts was None and is now 'the parts take turns'"):
        changed(search.definition, settings=settings).check(study)


def test_an_asynchronous_search_is_another_study(make: Make) -> None:
    from platform.experiments.study_definition import search_settings

    search = make(suggest_choice)
    settings = [
        search_settings(BASE, plan_with(search._plan, asynchronous=value), search._planned)
        for value in (False, True)
    ]
    changed(search.definition, settings=settings[0]).check(optuna.create_study())
    study = optuna.create_study()
    changed(search.definition, settings=settings[0]).check(study)
    with pytest.raises(UserError, match="asynchronous was False and is now True"):
        changed(search.definition, settings=settings[1]).check(study)
