"""Tune's trials as threads: the manager alone, without Ray, and its likeness to the one that it replaces."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.air.execution._internal import RayActorManager
from ray.tune.execution import tune_controller

from platform.config.configuration import Plan
from platform.distributed import trial_threads
from platform.distributed.trial import TrialContext
from platform.distributed.trial_threads import ThreadManager, missing_names, trials_in_threads
from platform.distributed.waiting import Waiting


class Stub:
    """A trial whose `train` gives back a number or raises; `wait` waits for an answer that never comes."""

    def __init__(self, config: dict[str, Any], storage: Any = None) -> None:
        if config.get("full"):
            raise OSError(28, "No space left on device")
        self.config, self.waiting, self.trial_id = config, Waiting(), "a"
        self.asked = threading.Event()

    def train(self) -> int:
        result: int = 6 // self.config["by"]
        return result

    def wait(self) -> Any:
        def ask() -> Any:
            self.asked.set()
            return SimpleNamespace(future=Future)

        return self.waiting.answer(ask)

    def get_auto_filled_metrics(self, debug_metrics_only: bool) -> dict[str, Any]:
        return {"pid": 1}


class Told(list[Any]):
    """What the manager tells, and the callbacks that note it."""

    def __init__(self) -> None:
        super().__init__()
        self.of_actor: dict[str, Any] = {
            "on_start": lambda actor: self.append("start"),
            "on_stop": lambda actor: self.append("stop"),
            "on_error": lambda actor, error: self.append(error),
        }
        self.of_task: dict[str, Any] = {
            "on_result": lambda actor, result: self.append(result),
            "on_error": lambda actor, error: self.append(error),
        }


@pytest.fixture
def manager() -> Iterator[ThreadManager]:
    made = ThreadManager(Stub)  # type: ignore[arg-type]
    yield made
    made.cleanup()
    assert not [thread for thread in threading.enumerate() if thread.name == "trial a"]


def start(manager: ThreadManager, told: Told, **config: Any) -> Any:
    actor = manager.add_actor(object, {"config": config, "storage": None}, None, **told.of_actor)
    assert told == [], "only `next` tells"
    assert manager.next(60)
    return actor


def test_a_trial_starts_reports_and_stops(manager: ThreadManager) -> None:
    told = Told()
    actor = start(manager, told, by=2)
    assert manager.is_actor_started(actor)
    manager.schedule_actor_task(actor, "train", **told.of_task)
    assert (manager.next(60), manager.num_actor_tasks) == (True, 0)
    manager.schedule_actor_task(actor, "stop", _return_future=True)
    assert manager.remove_actor(actor)
    assert manager.num_total_actors == 1
    assert manager.next(60)
    assert told == ["start", 3, "stop"]
    assert (manager.num_total_actors, manager.is_actor_started(actor)) == (0, False)
    assert not manager.next(0.01), "nothing more happens"


def test_an_error_is_told_as_it_is(manager: ThreadManager) -> None:
    told = Told()
    manager.schedule_actor_task(start(manager, told, by=0), "train", **told.of_task)
    manager.next(60)
    assert isinstance(told[1], ZeroDivisionError)


def test_a_trial_that_cannot_be_started_has_failed(manager: ThreadManager) -> None:
    told = Told()
    actor = start(manager, told, full=True)
    assert isinstance(told[0], OSError)
    assert (manager.is_actor_failed(actor), manager.is_actor_started(actor)) == (True, False)
    manager.schedule_actor_task(actor, "stop")
    assert not manager.remove_actor(actor)


def test_a_waiting_trial_ends_at_once_and_its_outcome_is_not_told(manager: ThreadManager) -> None:
    told = Told()
    actor = start(manager, told)
    handle, _ = manager._live_actors_to_ray_actors_resources[actor]
    manager.schedule_actor_task(actor, "wait", **told.of_task)
    assert handle.trial.asked.wait(60)  # type: ignore[attr-defined]
    assert manager.remove_actor(actor)
    while manager.num_total_actors:
        assert manager.next(60)
    assert told == ["start", "stop"]


def test_a_trial_removed_before_its_start_was_told_does_not_start(manager: ThreadManager) -> None:
    told = Told()
    actor = manager.add_actor(object, {"config": {}, "storage": None}, None, **told.of_actor)
    manager.remove_actor(actor)
    manager.next(60)
    assert told == ["stop"]


def test_tune_gets_a_waiting_trials_metrics_from_its_handle(manager: ThreadManager) -> None:
    told = Told()
    handle, _ = manager._live_actors_to_ray_actors_resources[start(manager, told)]
    assert handle.get_auto_filled_metrics.remote(debug_metrics_only=True) == {"pid": 1}


def test_the_pinned_ray_calls_its_manager_as_ours_is_called() -> None:
    """A new version of Ray that fails here: adapt platform/distributed/trial_threads.py to its controller."""
    assert missing_names() == []
    for name, ours in inspect.getmembers(ThreadManager, inspect.isfunction):
        if name.startswith("_"):
            continue
        theirs = inspect.signature(getattr(RayActorManager, name)).parameters
        parameters = inspect.signature(ours).parameters
        assert {one: (p.kind, p.default) for one, p in parameters.items()} == {
            one: (p.kind, p.default) for one, p in theirs.items()
        }, name


def test_another_tune_is_refused_by_what_it_asks_for(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, tmp_path: Path
) -> None:
    class Controller:
        def step(self) -> None:
            self._actor_manager: Any
            self._actor_manager.next_batch()

    monkeypatch.setattr(tune_controller, "TuneController", Controller)
    context = TrialContext(dispatcher=None, searches=(), planned=None, runs_root=tmp_path)  # type: ignore[arg-type]
    refused = pytest.raises(RuntimeError, match="asks its manager of actors for next_batch, which")
    with refused, trials_in_threads(context):
        pytest.fail("entered")


def test_the_manager_is_put_in_place_and_taken_away(tmp_path: Path) -> None:
    context = TrialContext(dispatcher=None, searches=(), planned=None, runs_root=tmp_path)  # type: ignore[arg-type]
    before: Callable[..., Any] = vars(tune_controller)["RayActorManager"]
    with trials_in_threads(context) as trainable:
        assert isinstance(vars(tune_controller)["RayActorManager"](resource_manager=None), ThreadManager)
        assert trainable is trial_threads.ThreadTrial
    assert vars(tune_controller)["RayActorManager"] is before
