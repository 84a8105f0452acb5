"""Searches on a real Ray: repeated, interrupted, with failing and pruned trials, with lost processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import optuna
import pytest

from platform.config.configuration import Plan, plan_with, replace
from platform.config.selection import Scope
from platform.distributed.ray_dispatcher import start_dispatcher
from platform.distributed.search import described_trials, run_search, winner
from platform.distributed.study_search import StudySearch
from platform.experiments.method_search import MethodSearch
from platform.runs.attempts import driver_folder
from platform.runs.fold_tasks import PlannedData
from platform.runs.store import ResultsStore
from platform.search.definition import SearchDefinition
from platform.search.storage import open_storage
from tests.distributed.processes import LINUX_ONLY, descendants
from tests.tiny_faces import tiny_configuration

pytestmark = [LINUX_ONLY, pytest.mark.ray, pytest.mark.timeout(900)]

SCOPE = Scope(suffix="", steps=((0, 0), (1, 0), (2, 0)), outer_folds=(0, 1, 2))
BASE = tiny_configuration(
    method="cnn",
    stage2_constant_epochs=3,
    stage2_decay_epochs=0,
    stage2_batch_size=16,
    adam_beta1=0.9,
)
GOOD = {"classifier_learning_rate": 0.01, "images_a_step": 16}
BAD = {"classifier_learning_rate": 1e-5, "images_a_step": 16}
RATE = {"classifier_learning_rate": 0.01}
IMPOSSIBLE = {"classifier_learning_rate": 0.01, "images_a_step": 1}
"""Batch norm refuses a single image of this size: the fold run fails in training."""


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "classifier_learning_rate": trial.suggest_float("classifier_learning_rate", 1e-5, 1e-1, log=True),
        "stage2_batch_size": trial.suggest_int("images_a_step", 1, 16),
    }


def suggest_rate(trial: optuna.Trial) -> dict[str, Any]:
    return {"classifier_learning_rate": trial.suggest_float("classifier_learning_rate", 1e-5, 1e-1, log=True)}


def definition(*first: dict[str, Any]) -> SearchDefinition:
    """A space of rates; of batch sizes too where the first trials name some."""
    space = suggest if first and "images_a_step" in first[0] else suggest_rate
    return SearchDefinition(name="study", suggest=space, first=first, settings={"folds": 3})


Search = Callable[..., StudySearch]


@pytest.fixture
def search(cluster: Any, data_root: Path, plan: Plan, planned: PlannedData, tmp_path: Path) -> Search:
    """Runs a search in a folder, with a dispatcher of its own, as a new driver would."""
    import ray

    def run(folder: str, *first: dict[str, Any], **changes: Any) -> StudySearch:
        wanted = plan_with(plan, **changes)
        dispatcher = start_dispatcher(wanted, tmp_path / folder, 2, driver_folder(tmp_path / folder))
        try:
            return run_search(
                [MethodSearch(base=BASE, plan=wanted, scopes=(SCOPE,))],
                [definition(*first)],
                dispatcher=dispatcher,
                store=ResultsStore(tmp_path / folder),
                storage=open_storage(tmp_path / folder / "study.journal"),
                planned=planned,
            )[0]
        finally:
            ray.kill(dispatcher)

    return run


def told(search: StudySearch) -> list[tuple[Any, ...]]:
    """All that a study says of its trials but for times."""
    return [
        (t.number, t.state.name, t.params, t.value, t.user_attrs, t.intermediate_values)
        for t in search.study.get_trials()
    ]


def kill_the_dispatcher() -> threading.Thread:
    """Kills the first dispatcher's process of ours, in a thread, while a fold run is under way."""

    def kill() -> None:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            found = {command.split(".")[0]: process for process, command in descendants(os.getpid()).items()}
            if {"ray::carry_out", "ray::RayDispatcher"} <= found.keys():
                os.kill(found["ray::RayDispatcher"], signal.SIGKILL)
                return
            time.sleep(0.02)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_an_interrupted_search_that_loses_its_dispatcher_is_the_same_search(
    search: Search, tmp_path: Path
) -> None:
    quiet = search("quiet", RATE)
    assert len({trial[3] for trial in told(quiet)}) > 1, "a constant score would prove nothing"

    search("interrupted", RATE, trials=2)
    left = StudySearch(
        quiet.definition,
        storage=open_storage(tmp_path / "interrupted" / "study.journal"),
        store=ResultsStore(tmp_path / "interrupted"),
        base=BASE,
        plan=quiet._plan,
        planned=quiet._planned,
        scope=SCOPE,
    )
    left.suggest("killed")  # a RUNNING trial that nobody leads
    manifests = tmp_path.glob("interrupted/fold_runs/*/manifest.json")
    before = {path: path.stat().st_mtime_ns for path in manifests}
    assert len(before) == 6

    killer = kill_the_dispatcher()
    here = os.getcwd()
    again = search("interrupted", RATE)
    assert not killer.is_alive(), "the dispatcher was lost"
    assert os.getcwd() == here
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("trial ")]
    killer.join()
    assert told(again) == told(quiet)
    assert winner(again) == winner(quiet)
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.slow
def test_searches_side_by_side_are_each_the_search_that_it_is_alone(
    cluster: Any, data_root: Path, plan: Plan, planned: PlannedData, tmp_path: Path
) -> None:
    """A method's search, and that of a baseline with fewer trials and another start."""
    import ray

    wanted = plan_with(plan, trials=3)
    searches = [
        MethodSearch(base=BASE, plan=wanted, scopes=(SCOPE,)),
        MethodSearch(
            base=replace(BASE, stage2_batch_size=8),
            plan=plan_with(wanted, trials=2),
            scopes=(changed(SCOPE, suffix="-cnn"),),
        ),
    ]

    def run(folder: str, *places: int) -> list[StudySearch]:
        dispatcher = start_dispatcher(wanted, tmp_path / folder, 2, driver_folder(tmp_path / folder))
        try:
            return run_search(
                [searches[place] for place in places],
                [definition(RATE) for _ in places],
                dispatcher=dispatcher,
                store=ResultsStore(tmp_path / folder),
                storage=open_storage(tmp_path / folder / "study.journal"),
                planned=planned,
            )
        finally:
            ray.kill(dispatcher)

    both = run("both", 0, 1)
    assert [len(told(study)) for study in both] == [3, 2]
    assert both[0].study.user_attrs["wanted"]["baselines"] == 2
    for place, together in enumerate(both):
        (alone,) = run(f"alone-{place}", place)
        assert told(alone) == told(together)
        assert winner(alone) == winner(together)
    names = [study.definition.name for study in both]
    assert names == ["study", "study-cnn"]


def test_failed_and_pruned_trials_are_told_so_and_the_winner_has_all_folds(search: Search) -> None:
    done = search("runs", IMPOSSIBLE, GOOD, BAD, BAD | {"images_a_step": 15})
    trials = described_trials(done)
    assert [(t["state"], t["folds"]) for t in trials] == [
        ("FAIL", 0),
        ("COMPLETE", 3),
        ("PRUNED", 2),
        ("PRUNED", 2),
    ]
    assert trials[0]["score"] is None
    assert trials[0]["failed"].startswith("fold 0: ValueError: Expected more than 1 value per channel")
    assert trials[0]["failed"].endswith("manifest.json)")
    assert all(trial["failed"] == "" for trial in trials[1:])
    choice = winner(done)
    assert (choice.trial, choice.score) == (1, trials[1]["score"])
    chosen = choice.configuration
    assert (chosen.classifier_learning_rate, chosen.stage2_batch_size) == (0.01, 16)
    assert [run["fold"] for run in trials[1]["runs"]] == [0, 1, 2]
