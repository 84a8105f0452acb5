"""Trials of Ray Tune as threads of this process.

Tune runs each trial as an actor: a process of its own with all libraries, 383 MB, started in a second. Ours
only wait for the dispatcher's answers, so a thread is enough. Tune's controller, searcher and scheduler stay;
what is replaced is the manager that starts and calls its actors (ray.air.execution RayActorManager).
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import getsource
from queue import Empty, SimpleQueue
from types import SimpleNamespace
from typing import Any
from unittest import mock

from ray import __version__ as ray_version
from ray import tune
from ray.air.execution._internal.tracked_actor import TrackedActor
from ray.tune.execution import tune_controller
from ray.tune.result import RESULT_DUPLICATE

from platform.distributed.ray_settings import with_environment
from platform.distributed.trial import TrialContext, trial_reports
from platform.distributed.waiting import Waiting

PATIENCE_SECONDS = 5.0
"""Time for the threads of an ended search to end. One that still reads a file then is left to itself: it ends
before it would ask Ray for anything."""
USED = re.compile(r"self\._actor_manager\.(\w+)")


class ThreadTrial(tune.Trainable):
    """A trial as Tune calls it: one `train()` per report."""

    def __init__(self, config: dict[str, Any], storage: Any, *, context: TrialContext) -> None:
        self.waiting = Waiting()
        self._context = context
        super().__init__(config, storage)

    @classmethod
    def default_resource_request(cls, config: dict[str, Any]) -> tune.PlacementGroupFactory:
        """An entry in Tune's books, which may not be empty. No cluster is asked for it."""
        return tune.PlacementGroupFactory([{"thread": 1}])

    def setup(self, config: dict[str, Any]) -> None:
        """As in Trainable."""
        self._reports = trial_reports(config, self._context, self.waiting.answer)

    def step(self) -> dict[str, Any]:
        """The next report; after the last one, Tune's mark for a trial that has ended."""
        return next(self._reports, {RESULT_DUPLICATE: True})


class _Task:
    """A call of a trial's method, or its start or end. Its outcome is told to Tune unless it is discarded."""

    def __init__(self) -> None:
        self.tell: Callable[[], object] = lambda: None
        self.discarded = False


class _Handle:
    """What Tune asks of an actor's handle: the metrics of a trial that has not reported yet."""

    def __init__(self, trial: ThreadTrial) -> None:
        self.trial = trial
        # Its answer is the value itself: Tune takes that or a reference.
        self.get_auto_filled_metrics = SimpleNamespace(remote=trial.get_auto_filled_metrics)


class ThreadManager:
    """Takes the place of RayActorManager in Tune's controller, as far as the controller uses it.

    An "actor" is a ThreadTrial. It needs no resources and starts at once. Each call of a method runs in a
    thread of its own; Tune makes one at a time per trial. Callbacks run in the thread that calls `next`.
    """

    def __init__(self, make: Callable[..., ThreadTrial]) -> None:
        """make: a ThreadTrial of the arguments `config` and `storage`."""
        self._make = make
        self._live_actors_to_ray_actors_resources: dict[TrackedActor, tuple[_Handle, None]] = {}
        self._tasks: dict[TrackedActor, set[_Task]] = {}
        self._failed: set[int] = set()
        self._over: SimpleQueue[tuple[TrackedActor, _Task]] = SimpleQueue()
        self._threads: set[threading.Thread] = set()

    num_pending_actors = 0
    """Every trial starts at once."""

    @property
    def num_live_actors(self) -> int:
        """Number of trials that have not been removed."""
        return len(self._live_actors_to_ray_actors_resources)

    num_total_actors = num_live_actors

    @property
    def num_actor_tasks(self) -> int:
        """Number of calls whose outcome has not been told."""
        return sum(len(tasks) for tasks in self._tasks.values())

    def get_live_actors_resources(self) -> dict[str, float]:
        """Resources of the cluster that trials hold: none."""
        return {}

    def is_actor_started(self, tracked_actor: TrackedActor) -> bool:
        """Whether the trial lives."""
        return tracked_actor in self._live_actors_to_ray_actors_resources

    def is_actor_failed(self, tracked_actor: TrackedActor) -> bool:
        """Whether the trial could not be started."""
        return tracked_actor.actor_id in self._failed

    def add_actor(
        self,
        cls: Any,
        kwargs: dict[str, Any],
        resource_request: Any,
        *,
        on_start: Callable[[TrackedActor], None] | None = None,
        on_stop: Callable[[TrackedActor], None] | None = None,
        on_error: Callable[[TrackedActor, Exception], None] | None = None,
    ) -> TrackedActor:
        """Start a trial; `next` tells it by `on_start` or `on_error`. The first and third argument are for
        processes."""
        actor = TrackedActor(uuid.uuid4().int, on_start=on_start, on_stop=on_stop, on_error=on_error)
        try:
            handle = _Handle(self._make(**kwargs))
        except Exception as error:
            self._failed.add(actor.actor_id)
            reason = error
            self._end(actor, self._task(actor), lambda: on_error and on_error(actor, reason))
            return actor
        self._live_actors_to_ray_actors_resources[actor] = (handle, None)
        self._end(actor, self._task(actor), lambda: on_start and on_start(actor))
        return actor

    def remove_actor(self, tracked_actor: TrackedActor, kill: bool = False, stop_future: Any = None) -> bool:
        """End a trial, even while it waits; `next` tells `on_stop`. False if it could not be started."""
        if self.is_actor_failed(tracked_actor):
            return False
        handle, _ = self._live_actors_to_ray_actors_resources[tracked_actor]
        self.clear_actor_task_futures(tracked_actor)
        handle.trial.waiting.end()
        self._end(tracked_actor, self._task(tracked_actor), lambda: self._removed(tracked_actor))
        return True

    def _removed(self, actor: TrackedActor) -> None:
        self._tasks.pop(actor, None)
        if self._live_actors_to_ray_actors_resources.pop(actor, None) and actor._on_stop:
            actor._on_stop(actor)

    def schedule_actor_task(
        self,
        tracked_actor: TrackedActor,
        method_name: str,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        on_result: Callable[[TrackedActor, Any], None] | None = None,
        on_error: Callable[[TrackedActor, Exception], None] | None = None,
        _return_future: bool = False,
    ) -> None:
        """Call a method of a trial in a thread; `next` tells the outcome by `on_result` or `on_error`.

        `stop` does nothing: `remove_actor`, which Tune calls next, ends the trial.
        """
        if self.is_actor_failed(tracked_actor) or method_name == "stop":
            return
        handle, _ = self._live_actors_to_ray_actors_resources[tracked_actor]
        method, task = getattr(handle.trial, method_name), self._task(tracked_actor)

        def call() -> None:
            try:
                result = method(*args or (), **kwargs or {})
            except Exception as error:
                reason = error
                self._end(tracked_actor, task, lambda: on_error and on_error(tracked_actor, reason))
            else:
                self._end(tracked_actor, task, lambda: on_result and on_result(tracked_actor, result))
            self._threads.discard(threading.current_thread())

        # Daemons: a thread that hangs on a lost disk does not keep the process alive.
        thread = threading.Thread(target=call, name=f"trial {handle.trial.trial_id}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def clear_actor_task_futures(self, tracked_actor: TrackedActor) -> None:
        """Tell nothing of the trial's calls so far."""
        for task in self._tasks.pop(tracked_actor, ()):
            task.discarded = True

    def next(self, timeout: float | None = None) -> bool:
        """Wait for an outcome; tell it and all others that are there. False if there was none in time."""
        try:
            told = [self._over.get(timeout=timeout)]
        except Empty:
            return False
        told += [self._over.get() for _ in range(self._over.qsize())]
        for actor, task in told:
            if not task.discarded:
                self._tasks[actor].discard(task)
                task.tell()
        return True

    def cleanup(self) -> None:
        """End all trials, and wait up to PATIENCE_SECONDS for their threads."""
        for handle, _ in self._live_actors_to_ray_actors_resources.values():
            handle.trial.waiting.end()
        self._live_actors_to_ray_actors_resources.clear()
        self._tasks.clear()
        deadline = time.monotonic() + PATIENCE_SECONDS
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _task(self, actor: TrackedActor) -> _Task:
        task = _Task()
        self._tasks.setdefault(actor, set()).add(task)
        return task

    def _end(self, actor: TrackedActor, task: _Task, tell: Callable[[], object]) -> None:
        task.tell = tell
        self._over.put((actor, task))


@contextmanager
def trials_in_threads(context: TrialContext) -> Iterator[type[ThreadTrial]]:
    """Context in which Tune's trials run in threads of this process; yields the trainable for the Tuner.

    At its end all trials have ended. RuntimeError: Tune uses its actors otherwise than in the version that
    this was written for.
    """
    missing = missing_names()
    if missing:
        raise RuntimeError(
            f"Tune of Ray {ray_version} asks its manager of actors for {', '.join(missing)}, which "
            f"{__name__} does not have"
        )
    managers: list[ThreadManager] = []

    def make(config: dict[str, Any], storage: Any) -> ThreadTrial:
        return ThreadTrial(config, storage, context=context)

    def manager(resource_manager: Any) -> ThreadManager:
        managers.append(ThreadManager(make))
        return managers[-1]

    try:
        # Trainable.__init__ would change the folder of this process to the trial's.
        here = with_environment({"RAY_CHDIR_TO_TRIAL_DIR": "0"})
        with here, mock.patch.object(tune_controller, "RayActorManager", manager):
            yield ThreadTrial
    finally:
        for one in managers:
            one.cleanup()


def missing_names() -> list[str]:
    """Names that Tune's controller uses of its manager and that ThreadManager lacks; empty with the Ray that
    is pinned. `_actor_task_events` is for trials that export models, which ours do not."""
    used = set(USED.findall(getsource(tune_controller.TuneController))) - {"_actor_task_events"}
    known = {*dir(ThreadManager), *vars(ThreadManager(ThreadTrial))}
    return sorted(used - known) or ([] if used else ["something else"])
