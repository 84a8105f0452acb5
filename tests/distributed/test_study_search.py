"""The search without Ray: generations, adoption, pruning and honest states, on made-up fold runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace as changed
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.exceptions import StorageInternalError
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from platform.config.configuration import Plan, plan_with
from platform.config.selection import Scope, scopes
from platform.distributed import recorded_trials
from platform.distributed.recorded_trials import trial_tasks
from platform.distributed.search import run_search
from platform.distributed.studies import PruningScheduler, Studies
from platform.distributed.study_search import METRIC, UNABLE, StudySearch
from platform.errors import UserError
from platform.evaluation.predictions import Predictions, to_bytes
from platform.experiments.method_search import MethodSearch
from platform.monitoring.observer import End, SearchObserver
from platform.runs.environment_failure import EnvironmentFailure
from platform.runs.fold_tasks import PlannedData
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.definition import SearchDefinition
from platform.search.inner_scores import _KEPT, InnerScores
from platform.search.storage import open_storage
from tests.tiny_faces import CLASSES, tiny_configuration

SCOPE = Scope(suffix="", steps=((2, 0), (0, 0), (1, 0)), outer_folds=(0, 1, 2))
BASE = tiny_configuration(method="cnn")
Make = Callable[..., StudySearch]


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """A rate, and a batch size that exists only for small rates."""
    overrides: dict[str, Any] = {
        "classifier_learning_rate": trial.suggest_float("classifier_learning_rate", 1e-5, 1e-1, log=True)
    }
    if overrides["classifier_learning_rate"] < 1e-3:
        overrides["stage2_batch_size"] = trial.suggest_int("stage2_batch_size", 2, 64)
    return overrides


DEFINITION = SearchDefinition(
    name="study", suggest=suggest, first=({"classifier_learning_rate": 0.01},), settings={"folds": 3}
)


@pytest.fixture
def make(tmp_path: Path, plan: Plan, planned: PlannedData) -> Make:
    """Starts a search in a folder, as a new driver would."""

    def start(
        folder: str = "runs",
        definition: SearchDefinition = DEFINITION,
        observer: SearchObserver | None = None,
        **changes: Any,
    ) -> StudySearch:
        return StudySearch(
            definition,
            storage=open_storage(tmp_path / folder / "study.journal"),
            store=ResultsStore(tmp_path / folder),
            base=BASE,
            plan=plan_with(plan, **changes),
            planned=planned,
            scope=SCOPE,
            observer=observer,
        )

    return start


def write_run(search: StudySearch, task: FoldTask, right_of_six: int) -> None:
    """A fold run in which every validation subject has that many of its six images right."""
    subjects = np.repeat(np.array(task.evaluation_subjects), 6)
    true = np.tile(np.repeat(np.array(CLASSES), 2), len(task.evaluation_subjects))
    is_right = np.tile(np.arange(6), len(task.evaluation_subjects)) < right_of_six
    wrong = np.array([CLASSES[(CLASSES.index(name) + 1) % 3] for name in true])
    predicted = np.where(is_right, true, wrong)
    predictions = Predictions(
        dataset=np.full(len(true), "synthetic"),
        fold=np.full(len(true), task.fold_index),
        subject=subjects,
        sequence=np.char.add(subjects, true),
        image=np.array([f"{subject}_{row}" for row, subject in enumerate(subjects)]),
        true=true,
        predicted=predicted,
        class_names=CLASSES,
        scores=(predicted[:, None] == np.array(CLASSES)).astype(np.float32),
    )
    files = {"predictions.parquet": to_bytes(predictions)}
    search._store.write("fold_runs", task.identity, task.record, files)


def run_folds(search: StudySearch, trial: dict[str, Any], right_of_six: int, folds: int = 3) -> None:
    """The first `folds` fold runs of a suggested trial."""
    tasks = trial_tasks(BASE, trial["overrides"], search._planned, search._plan, SCOPE)
    for task in tasks[:folds]:
        write_run(search, task, right_of_six)


def next_trial(search: StudySearch, trial_id: str) -> dict[str, Any]:
    trial = search.suggest(trial_id)
    assert isinstance(trial, dict)
    return trial


def complete_generation(search: StudySearch, right_of_six: int = 3) -> list[dict[str, Any]]:
    """Two trials, suggested, run and told."""
    trials = []
    for _ in range(2):
        number = len(search._suggested)
        trials.append(next_trial(search, f"id{number}"))
    for trial in trials:
        run_folds(search, trial, right_of_six)
    for trial in reversed(trials):
        search.on_trial_complete(f"id{trial['number']}", {})
    return trials


def states(search: StudySearch) -> list[str]:
    return [trial.state.name for trial in search.study.get_trials()]


def test_a_generation_is_told_together_and_the_next_waits_for_it(make: Make) -> None:
    search = make()
    first, second = next_trial(search, "a"), next_trial(search, "b")
    assert [first["number"], second["number"]] == [0, 1]
    run_folds(search, first, 3)
    run_folds(search, second, 6)
    assert search.suggest("c") is None
    search.on_trial_complete("b", {})
    assert states(search) == ["RUNNING", "RUNNING"]
    assert search.suggest("c") is None
    search.on_trial_complete("a", {})
    assert states(search) == ["COMPLETE", "COMPLETE"]
    assert [trial.value for trial in search.study.trials] == [0.5, 1.0]
    assert next_trial(search, "c")["number"] == 2


def test_the_first_configuration_comes_first_and_a_search_ends(make: Make) -> None:
    search = make()
    first, _ = complete_generation(search)
    assert first["overrides"] == {"classifier_learning_rate": 0.01}
    assert not search.is_finished()
    complete_generation(search)
    assert search.is_finished()
    assert search.suggest("z") == Searcher.FINISHED


def test_proposals_do_not_depend_on_which_trial_of_a_generation_ends_first(make: Make) -> None:
    following = []
    for folder, order in (("one", "ab"), ("other", "ba")):
        search = make(folder)
        for trial_id in "ab":
            run_folds(search, next_trial(search, trial_id), 4)
        for trial_id in order:
            search.on_trial_complete(trial_id, {})
        following.append([search.suggest("c"), search.suggest("d")])
    assert following[0] == following[1]
    assert following[0][0]["overrides"] != following[0][1]["overrides"]


def quiet_proposals(make: Make) -> list[dict[str, Any]]:
    search = make("quiet")
    return [*complete_generation(search), *complete_generation(search)]


def test_a_running_trial_left_behind_is_adopted_under_its_own_number(make: Make) -> None:
    killed = make()
    complete_generation(killed)
    left = [next_trial(killed, "c"), next_trial(killed, "d")]
    again = make()
    assert [next_trial(again, "x"), next_trial(again, "y")] == left == quiet_proposals(make)[2:]
    assert states(again) == ["COMPLETE", "COMPLETE", "RUNNING", "RUNNING"]


def test_a_proposal_written_down_but_not_yet_taken_is_taken_once(make: Make) -> None:
    killed = make()
    complete_generation(killed)
    killed.study.enqueue_trial(killed._propose(2))  # the kill comes here, before the trial is asked for
    again = make()
    assert [next_trial(again, "x"), next_trial(again, "y")] == quiet_proposals(make)[2:]
    assert len(again.study.trials) == 4


def test_a_generation_of_which_only_one_trial_was_told_goes_on_the_same(make: Make) -> None:
    killed = make()
    first, second = next_trial(killed, "a"), next_trial(killed, "b")
    for trial in (first, second):
        run_folds(killed, trial, 3)
    killed._ot_trials["a"].set_user_attr("overrides", first["overrides"])
    killed._ot_trials["a"].set_user_attr("folds", 3)
    killed.study.tell(killed._ot_trials["a"], 0.5)  # the kill comes here, between two tells
    again = make()
    assert next_trial(again, "x") == second
    again.on_trial_complete("x", {})
    assert states(again) == ["COMPLETE", "COMPLETE"]
    assert [next_trial(again, "y"), next_trial(again, "z")] == quiet_proposals(make)[2:]


def test_more_trials_go_on_where_fewer_ended(make: Make) -> None:
    short = make(trials=2)
    complete_generation(short)
    assert short.is_finished()
    longer = make(trials=4)
    assert [next_trial(longer, "x"), next_trial(longer, "y")] == quiet_proposals(make)[2:]


def test_a_worse_trial_is_pruned_after_a_round_and_told_so(make: Make) -> None:
    search = make()
    complete_generation(search, right_of_six=5)
    worse, equal = next_trial(search, "c"), next_trial(search, "d")
    run_folds(search, worse, 2, folds=2)
    run_folds(search, equal, 5, folds=2)
    assert not search.should_prune("d", 2)
    assert search.should_prune("c", 2)
    search.on_trial_complete("c", {"folds": 2})
    run_folds(search, equal, 5)
    search.on_trial_complete("d", {"folds": 3})
    pruned, complete = search.study.trials[2:]
    assert (pruned.state.name, pruned.user_attrs["folds"]) == ("PRUNED", 2)
    assert (complete.state.name, complete.user_attrs["folds"]) == ("COMPLETE", 3)
    assert complete.value == pytest.approx(5 / 6)


def test_nothing_is_pruned_within_the_first_generation(make: Make) -> None:
    search = make()
    good, bad = next_trial(search, "a"), next_trial(search, "b")
    run_folds(search, good, 6)
    search.on_trial_complete("a", {})
    run_folds(search, bad, 0, folds=2)
    assert not search.should_prune("b", 2)


@pytest.mark.parametrize(("pruning", "folds"), [(False, 2), (True, 3)])
def test_nothing_is_pruned_when_it_is_off_or_after_the_last_fold(
    make: Make, pruning: bool, folds: int
) -> None:
    search = make(pruning=pruning)
    complete_generation(search, right_of_six=6)
    run_folds(search, next_trial(search, "c"), 0, folds=folds)
    assert not search.should_prune("c", folds)


def test_a_trial_with_a_failed_fold_run_is_told_fail_and_has_no_value(make: Make) -> None:
    search = make()
    broken, sound = next_trial(search, "a"), next_trial(search, "b")
    run_folds(search, broken, 6)  # even with every fold run there
    search.on_trial_complete("a", {"folds": 2, "failed_folds": 1})
    run_folds(search, sound, 3)
    search.on_trial_complete("b", {})
    failed, complete = search.study.trials
    assert (failed.state.name, failed.value) == ("FAIL", None)
    assert (complete.state.name, complete.value) == ("COMPLETE", 0.5)


@pytest.mark.parametrize("end", [{"error": True}, {"result": {"folds": 2, "failed_folds": 0, UNABLE: "it"}}])
def test_a_trial_that_the_environment_ended_stays_open_and_the_search_ends_and_goes_on_the_same(
    make: Make, end: dict[str, Any]
) -> None:
    search = make("lost")
    complete_generation(search)
    lost, sound = next_trial(search, "c"), next_trial(search, "d")
    search.on_trial_complete("c", **end)
    assert isinstance(search.fault, EnvironmentFailure)
    assert str(search.fault).startswith(f"trial 2 stays open: {'Ray Tune' if 'error' in end else 'it'}")
    assert search.suggest("e") == Searcher.FINISHED
    run_folds(search, sound, 3)
    search.on_trial_complete("d", {})
    assert states(search) == ["COMPLETE", "COMPLETE", "RUNNING", "RUNNING"]
    again = make("lost")
    assert [next_trial(again, "x"), next_trial(again, "y")] == [lost, sound] == quiet_proposals(make)[2:]


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (UserError("cannot write study.journal: no space."), "cannot write study.journal: no space"),
        (StorageInternalError("gone"), "the study's storage cannot be used (gone)"),
    ],
)
def test_what_cannot_be_written_ends_all_studies_without_a_word_of_tunes(
    error: Exception, fault: str, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = make()
    studies = Studies([search])
    for trial_id in ("a", "b"):
        trial = studies.suggest(trial_id)
        assert isinstance(trial, dict)
        run_folds(search, trial, 3)
    with monkeypatch.context() as patch:
        patch.setattr(search.study, "tell", raising(error))
        studies.on_trial_complete("a", {})
        studies.on_trial_complete("b", {})
    assert str(search.fault) == fault
    assert studies.suggest("c") == Searcher.FINISHED
    assert states(search) == ["RUNNING", "RUNNING"]
    assert complete_generation(make()) == quiet_proposals(make)[:2]


def raising(error: Exception) -> Callable[..., None]:
    def raise_it(*arguments: object, **options: object) -> None:
        raise error

    return raise_it


def test_a_trial_ended_by_an_interruption_stays_open(make: Make) -> None:
    search = make()
    trial = next_trial(search, "a")
    run_folds(search, trial, 6, folds=2)
    search.on_trial_complete("a", {"folds": 2})
    assert states(search) == ["RUNNING"]
    assert next_trial(make(), "x") == trial


class Heard(SearchObserver):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def trial_proposed(self, study: str, number: int, tasks: Sequence[FoldTask]) -> None:
        self.events.append(("proposed", number, len(tasks)))

    def round_finished(self, study: str, number: int, folds_done: int, score: float) -> None:
        self.events.append(("round", number, folds_done, score))

    def trial_ended(
        self, study: str, number: int, end: End, scores: InnerScores, *, earlier: bool = False
    ) -> None:
        self.events.append((end, number, scores.mean_or_none, earlier))


def test_an_observer_is_told_of_every_trial_and_after_a_restart_of_the_earlier_ones(make: Make) -> None:
    heard = Heard()
    search = make(observer=heard)
    good, bad = next_trial(search, "a"), next_trial(search, "b")
    run_folds(search, good, 3)
    search.on_trial_result("a", {METRIC: 0.5, "folds": 3, "failed_folds": 0})
    search.on_trial_complete("a", {})
    run_folds(search, bad, 6, folds=1)
    search.on_trial_result("b", {METRIC: float("nan"), "folds": 0, "failed_folds": 1})
    search.on_trial_complete("b", {"failed_folds": 1})
    assert heard.events == [
        ("proposed", 0, 3),
        ("proposed", 1, 3),
        ("round", 0, 3, 0.5),
        ("COMPLETE", 0, 0.5, False),
        ("FAIL", 1, 1.0, False),
    ]
    again = Heard()
    make().recorded.observe(again)
    assert again.events == [("COMPLETE", 0, 0.5, True), ("FAIL", 1, 1.0, True)]


def test_a_study_made_with_other_settings_is_refused_with_the_difference(make: Make) -> None:
    complete_generation(make())
    other = changed(DEFINITION, settings={"folds": 5})
    with pytest.raises(UserError, match=r"folds was 3 and is now 5.*--name"):
        make(definition=other)
    make(definition=DEFINITION)


def test_a_search_whose_trials_all_failed_says_so_every_time(make: Make, tmp_path: Path) -> None:
    search = make(trials=2)
    for trial_id in ("a", "b"):
        next_trial(search, trial_id)
    for trial_id in ("a", "b"):
        search.on_trial_complete(trial_id, {"failed_folds": 1})
    with pytest.raises(UserError, match=r"all 2 trials of study study failed.*fold_runs.*--name"):
        run_search(
            [MethodSearch(base=BASE, plan=search._plan, scopes=(SCOPE,))],
            [DEFINITION],
            dispatcher=None,
            store=search._store,
            storage=open_storage(tmp_path / "runs" / "study.journal"),
            planned=search._planned,
        )


def test_studies_side_by_side_go_on_alone_and_end_together(
    make: Make, tmp_path: Path, plan: Plan, planned: PlannedData
) -> None:
    nested = [
        StudySearch(
            changed(DEFINITION, name=f"study{scope.suffix}"),
            storage=open_storage(tmp_path / "nested" / "study.journal"),
            store=ResultsStore(tmp_path / "nested"),
            base=BASE,
            plan=plan_with(plan, trials=3, selection_rule="nested", rounds=(3, 2)),
            planned=planned,
            scope=scope,
        )
        for scope in scopes("nested", 2, 0)
    ]
    studies = Studies(nested)
    trials = {trial_id: studies.suggest(trial_id) for trial_id in "abcd"}
    assert [(one["study"], one["number"]) for one in trials.values()] == [  # type: ignore[index]
        ("-fold-0", 0), ("-fold-0", 1), ("-fold-1", 0), ("-fold-1", 1),
    ]  # fmt: skip
    assert studies.suggest("e") is None
    for trial_id, search in zip("abcd", [nested[0]] * 2 + [nested[1]] * 2, strict=True):
        for task in search.tasks(trials[trial_id]["number"]):  # type: ignore[index, call-overload]
            write_run(search, task, 4)
        studies.on_trial_complete(trial_id, {})
    last = studies.suggest("e"), studies.suggest("f")
    assert [(one["study"], one["number"]) for one in last] == [("-fold-0", 2), ("-fold-1", 2)]  # type: ignore[index]
    assert studies.suggest("g") == Searcher.FINISHED
    assert not studies.is_finished()
    for trial_id, search in zip("ef", nested, strict=True):
        studies.on_trial_complete(trial_id, {"failed_folds": 1})
        assert states(search) == ["COMPLETE", "COMPLETE", "FAIL"]
    assert studies.is_finished()


def test_a_study_is_held_against_the_stored_fold_runs(make: Make) -> None:
    trials = complete_generation(make(), 3)
    again = make()
    assert again.recorded.missing_runs() == []
    again.recorded.check()
    (changed, *_) = trial_tasks(BASE, trials[1]["overrides"], again._planned, again._plan, SCOPE)
    shutil.rmtree(again._store.folder("fold_runs", changed.identity))  # a result is written once
    write_run(again, changed, 6)
    _KEPT.clear()
    with pytest.raises(UserError, match=r"but trial 1 of study has the mean \{3: 0.5\}, and they give"):
        make().recorded.check()


def test_a_start_plans_the_fold_runs_of_a_recorded_trial_once(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete_generation(make(), 3)
    again = make(observer=Heard())
    planned: list[Any] = []
    real = recorded_trials.trial_tasks
    monkeypatch.setattr(
        recorded_trials, "trial_tasks", lambda *given: planned.append(given[1]) or real(*given)
    )
    assert again.recorded.missing_runs() == []
    again.recorded.check()
    again.recorded.observe(again.observer)
    assert len(planned) == len(again.recorded.ended())


def test_fold_runs_that_are_gone_are_wanted_again(make: Make) -> None:
    search = make()
    trials = complete_generation(search)
    tasks = [trial_tasks(BASE, trial["overrides"], search._planned, search._plan, SCOPE) for trial in trials]
    folders = [search._store.folder("fold_runs", task.identity) for task in (*tasks[0], *tasks[1])]
    shutil.rmtree(folders[4])
    assert [task.identity for task in make().recorded.missing_runs()] == [tasks[1][1].identity]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    with pytest.raises(UserError, match="has scores of 2 trials, but none of their fold runs is in"):
        make().recorded.missing_runs()


def test_a_report_of_what_the_environment_ended_is_neither_a_round_nor_pruned(make: Make) -> None:
    heard = Heard()
    search = make(observer=heard)
    studies = Studies([search])
    studies.suggest("a")
    report = {METRIC: float("nan"), "folds": 0, "failed_folds": 0, UNABLE: "no space"}
    trial = SimpleNamespace(trial_id="a")
    assert PruningScheduler(studies).on_trial_result(None, trial, report) == TrialScheduler.CONTINUE
    studies.on_trial_result("a", report)
    assert [event[0] for event in heard.events] == ["proposed"]
