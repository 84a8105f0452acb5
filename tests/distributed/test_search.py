"""Searches on a real Ray: repeated, interrupted, with failing and pruned trials, with lost processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from platform.config import Configuration, Plan, plan_with
from platform.distributed.dispatcher import start_dispatcher
from platform.distributed.search import described_trials, run_search, winner
from platform.distributed.study_search import StudySearch
from platform.errors import UserError
from platform.results.planning import PlannedData
from platform.results.store import ResultsStore
from platform.results.study import SearchDefinition
from tests.distributed.processes import descendants
from tests.tiny_faces import tiny_configuration

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]

ORDER = (0, 1, 2)
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

    def run(folder: str, *first: dict[str, Any], base: Configuration = BASE, **changes: Any) -> StudySearch:
        counts = {f"{planned.data.hash}/{name}": n for name, n in planned.images_of_subject.items()}
        wanted = plan_with(plan, **changes)
        dispatcher = start_dispatcher(wanted, tmp_path / folder, 2, counts)
        try:
            return run_search(
                definition(*first),
                dispatcher=dispatcher,
                store=ResultsStore(tmp_path / folder),
                storage_path=tmp_path / folder / "study.journal",
                base=base,
                plan=wanted,
                planned=planned,
                order=ORDER,
            )
        finally:
            ray.kill(dispatcher)

    return run


def told(search: StudySearch) -> list[tuple[Any, ...]]:
    """All that a study says of its trials but for times."""
    return [
        (t.number, t.state.name, t.params, t.value, t.user_attrs, t.intermediate_values)
        for t in search.study.get_trials()
    ]


def test_an_interrupted_search_and_a_quiet_one_are_the_same_search(search: Search, tmp_path: Path) -> None:
    quiet = search("quiet", RATE)
    assert len({value for _, _, _, value, _, _ in told(quiet)}) > 1, "a constant score would prove nothing"

    search("interrupted", RATE, trials=2)
    left = StudySearch(
        quiet.definition,
        storage=optuna_storage(tmp_path / "interrupted"),
        store=ResultsStore(tmp_path / "interrupted"),
        base=BASE,
        plan=quiet._plan,
        planned=quiet._planned,
        order=ORDER,
    )
    left.suggest("killed")  # a RUNNING trial that nobody leads
    before = {
        path: path.stat().st_mtime_ns for path in tmp_path.glob("interrupted/fold_runs/*/manifest.json")
    }
    assert len(before) == 6
    assert told(search("interrupted", RATE)) == told(quiet)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert winner(search("interrupted", RATE)) == winner(quiet)


def optuna_storage(folder: Path) -> optuna.storages.BaseStorage:
    from platform.results.study import open_storage

    return open_storage(folder / "study.journal")


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
    number, chosen = winner(done)
    assert number == 1
    assert (chosen.classifier_learning_rate, chosen.stage2_batch_size) == (0.01, 16)
    assert [run["fold"] for run in trials[1]["runs"]] == [0, 1, 2]


def test_a_search_whose_trials_all_failed_says_so_each_time(search: Search) -> None:
    impossible = tiny_configuration(method="cnn", stage2_batch_size=1)
    for _ in range(2):
        with pytest.raises(UserError, match=r"all 1 trials of study study failed.*fold_runs"):
            search("runs", IMPOSSIBLE, base=impossible, trials=1)


@pytest.fixture
def kill_a_process() -> Iterator[Callable[[str], threading.Thread]]:
    """Kills the first process of ours with that name, a moment after it is there."""
    threads: list[threading.Thread] = []

    def start(name: str) -> threading.Thread:
        def kill() -> None:
            deadline = time.monotonic() + 300
            while time.monotonic() < deadline:
                for process, command in descendants(os.getpid()).items():
                    if command.startswith(name):
                        time.sleep(0.2)
                        os.kill(process, signal.SIGKILL)
                        return
                time.sleep(0.02)
            pytest.fail(f"no process {name} was seen")

        threads.append(threading.Thread(target=kill))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("name", ["ray::carry_out", "ray::ImplicitFunc"])
def test_a_lost_process_of_a_fold_run_or_a_trial_is_replaced(
    search: Search, kill_a_process: Callable[[str], threading.Thread], name: str
) -> None:
    killer = kill_a_process(name)
    done = search("runs", GOOD, trials=1, retries=1)
    killer.join()
    assert [state for _, state, *_ in told(done)] == ["COMPLETE"]
