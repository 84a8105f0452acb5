"""Dispatcher: runs every task once, longest first, after the artifacts that it rests on.

Sole owner of concurrency.
"""

from __future__ import annotations

import asyncio
import time
import traceback
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from platform.distributed.chains import Stored, dispatched_first, starts
from platform.distributed.lost_workers import environment_failure_of
from platform.distributed.task_attempts import TaskAttempts
from platform.distributed.window import Window
from platform.files.late import found_late
from platform.runs.environment_failure import (
    LOST_WORKERS_IN_A_ROW,
    EnvironmentFailure,
    environment_failure,
)
from platform.runs.node_proof import UnfitNode
from platform.runs.store import ResultsStore
from platform.runs.tasks import ArtifactTask, FoldTask, below

Answer = TypeVar("Answer")
Item = TypeVar("Item")
Launch = Callable[[FoldTask | ArtifactTask], Awaitable[dict[str, Any]]]
"""Runs a task somewhere and returns its manifest; raises if the worker is lost."""
LOST = "lost"
"""Status, beside `complete` and `failed`, of a task that the environment prevented from running. It is
returned but never stored, so the same command tries the task again."""
EVENTS_SHOWN = 100
"""The latest of them, in a snapshot."""
GONE_SECONDS = 10.0
"""After a node left, for Ray to report what it had as lost. Ray does not where the host lost its power or its
network: the connection to the worker stays half open, and is looked at after five minutes."""
FINISHED_AT_ONCE = 2000
"""Finished tasks in one snapshot; the next one goes on from there."""
TURN = 200
"""Tasks that are taken into the queue before the event loop looks at other questions."""
STORE_THREADS = 8
"""Calls of the results store at once. A shared file system may take a second for one, and the event loop,
on which the display's question waits too, must not."""


@dataclass
class _Launched:
    """A task that was handed over, and the worker that has it once that has reported itself."""

    label: str
    node: str = ""
    host: str = ""
    process: int = 0
    since: float | None = None
    """When its worker reported itself, by the monotonic clock; None: it waits for one."""
    answer: asyncio.Future[dict[str, Any]] | None = None
    is_given_up: bool = False
    """Whether nobody waits for the answer any more, because a node is gone."""

    def give_up(self, node_id: str) -> None:
        """Stop waiting, if it was on that node, which is gone, or may have been."""
        if self.node in (node_id, "") and self.answer is not None and not self.answer.done():
            self.is_given_up = True
            self.answer.cancel()


class Dispatcher:
    """Runs tasks without a stored result; tasks that are requested twice run once.

    A task waits for the artifacts that it rests on, at any depth, and then in the window's queue for a place.
    What was handed over waits for a worker, and runs from the moment the worker reports itself.

    A failing task is retried `retries` times and then stored as failed, with the reason. A task whose worker
    is lost is restarted with exponential back-off, up to LOST_WORKERS_IN_A_ROW times without a new
    checkpoint; then LOST is returned for it. The same holds for other environment failures, such as a full
    disk, after all retries.
    What rests on a task that failed or was lost fails or is lost with it, and names it.
    """

    def __init__(
        self,
        runs_root: str,
        places: int | None,
        launch: Launch,
        retries: int,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """places: tasks handed over at once; None: all."""
        self._store = ResultsStore(Path(runs_root))
        self._threads = ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="store")
        self.window = Window(places)
        self._launch = launch
        self._retries = retries
        self._results: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self._launched: dict[str, _Launched] = {}
        self._finished: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._sleep = sleep
        self._life = uuid.uuid4().hex

    async def run(self, tasks: list[FoldTask]) -> list[dict[str, Any]]:
        """The manifests of these fold runs, in order, once all are complete or have failed."""
        stored = await self._stored(tasks)
        found = [start async for start in _in_turns(starts(tasks, stored))]
        # The free places go to the longest chains of all that can start now.
        found.sort(key=lambda start: start[0], reverse=True)
        async for _, task, priority in _in_turns(found):
            self._result(task, stored, priority)
        return list(await asyncio.gather(*(self._result(task, stored) for task in tasks)))

    def snapshot(self, known: int = 0) -> dict[str, Any]:
        """State for the progress display; up to FINISHED_AT_ONCE finished tasks from number `known` on, of
        `finished_count`, and the latest events.

        `life` identifies this process: a dispatcher that was lost and restarted has a new one. `waiting`:
        tasks that were asked for and neither run nor are over.
        """
        now = time.monotonic()
        running = [(one.label, now - one.since) for one in self._launched.values() if one.since is not None]
        return {
            "life": self._life,
            "running": running,
            "waiting": len(self._results) - len(self._finished) - len(running),
            "finished": self._finished[known : known + FINISHED_AT_ONCE],
            "finished_count": len(self._finished),
            "events": self._events[-EVENTS_SHOWN:],
        }

    def started(self, identity: str, node_id: str, host: str, process: int) -> None:
        """Called by the worker that runs the task: from now on it runs, and messages can name its host."""
        one = self._launched.get(identity)
        if one is not None:
            one.node, one.host, one.process, one.since = node_id, host, process, time.monotonic()

    def note(self, kind: str, host: str, words: str, **facts: Any) -> None:
        """Keep an event for the snapshot: its kind, the host, and a sentence without full stop."""
        self._events.append(
            {"number": len(self._events) + 1, "kind": kind, "host": host, "words": words, **facts}
        )

    def node_left(self, node_id: str) -> None:
        """Give up, after GONE_SECONDS, what the node had and what no worker has reported yet.

        The node may live on, cut off: the next attempt replaces the one there, which can then write nothing.
        """
        for one in self._launched.values():
            if one.node in (node_id, ""):
                asyncio.get_running_loop().call_later(GONE_SECONDS, one.give_up, node_id)

    def _ended(self, node: str, task: FoldTask | ArtifactTask, failure: EnvironmentFailure | None) -> None:
        """An attempt ended on that node (empty: unknown); None: it came to an end of its own."""

    def _only_host(self) -> str:
        """The host of all tasks if there is only one; otherwise empty. For workers that are lost before they
        report their host."""
        return ""

    async def _stored(self, tasks: Iterable[FoldTask]) -> Stored:
        """What the store has of the tasks and of all that they rest on, where nobody has asked for it yet."""
        kinds = {
            name: one.kind for task in tasks for name, one in (*below(task).items(), (task.identity, task))
        }
        wanted = [(kind, name) for name, kind in kinds.items() if name not in self._results]
        share = max(1, -(-len(wanted) // STORE_THREADS))
        parts = [wanted[start : start + share] for start in range(0, len(wanted), share)]
        found = await asyncio.gather(*(self._in_store(self._manifests, part) for part in parts))
        return {name: one for part in found for name, one in part.items()}

    def _manifests(self, wanted: Iterable[tuple[str, str]]) -> Stored:
        found: dict[str, dict[str, Any] | Exception | None] = {}
        for kind, identity in wanted:
            try:
                found[identity] = self._store.manifest(kind, identity)
            except Exception as error:  # concerns this task alone
                found[identity] = error
        return found

    def _result(
        self, task: FoldTask | ArtifactTask, stored: Stored, priority: float = 0.0
    ) -> asyncio.Task[dict[str, Any]]:
        if task.identity not in self._results:
            self._results[task.identity] = asyncio.ensure_future(self._obtain(task, stored, priority))
        return self._results[task.identity]

    async def _obtain(self, task: FoldTask | ArtifactTask, stored: Stored, priority: float) -> dict[str, Any]:
        try:
            return await self._complete_or_failed(task, stored, priority)
        except EnvironmentFailure as failure:
            return self._finish(task, _lost(task, failure))

    async def _complete_or_failed(
        self, task: FoldTask | ArtifactTask, stored: Stored, priority: float
    ) -> dict[str, Any]:
        """The stored manifest. EnvironmentFailure: the environment prevented the task from running."""
        manifest = stored[task.identity]
        if isinstance(manifest, Exception):
            raise environment_failure(manifest) or manifest
        if manifest is not None and manifest["status"] == "complete":
            return self._finish(task, manifest, reused=True)
        # Priority of the whole chain, so that no long chain starts last.
        chain = task.gflop + priority
        for needed in dispatched_first(task):
            for artifact, first in zip(
                needed,
                await asyncio.gather(*(self._result(one, stored, chain) for one in needed)),
                strict=True,
            ):
                if first["status"] == LOST:
                    return self._finish(task, {**first, "identity": task.identity})
                if first["status"] != "complete":
                    reason = f"{artifact.artifact.title} ({artifact.identity}) failed:\n{first['traceback']}"
                    return self._finish(task, await self._write_failure(task, reason))
        return await self._run(task, chain)

    async def _run(self, task: FoldTask | ArtifactTask, priority: float) -> dict[str, Any]:
        """Run attempts, each in a place of the window, until one succeeds or none is left."""
        attempts = TaskAttempts(self._retries)
        held_seconds = 0.0
        while True:
            await self.window.acquire(priority)
            one = self._launched[task.identity] = _Launched(label(task))
            try:
                manifest, failure = await self._attempt(task, attempts.count + 1)
                self._ended(one.node, task, failure)
            finally:
                self.window.release()
                self._launched.pop(task.identity, None)
                held_seconds += 0.0 if one.since is None else time.monotonic() - one.since
            if manifest is not None and manifest["status"] == "complete":
                return self._finish(task, manifest, slot_seconds=held_seconds)
            is_unmade = isinstance(failure, UnfitNode) or (one.is_given_up and one.since is None)
            if is_unmade or (failure is not None and self.window.refusal is not None):
                continue  # no attempt was made
            wait = attempts.wait_after(failure, await self._in_store(self._checkpoints, task))
            if failure is not None:
                self._note(task, failure, attempts.lost_in_a_row, wait)
            if wait is None and manifest is not None:
                return self._finish(task, manifest, slot_seconds=held_seconds)
            if wait is None:
                assert failure is not None
                raise failure
            if wait:
                await self._sleep(wait)

    async def _attempt(
        self, task: FoldTask | ArtifactTask, number: int
    ) -> tuple[dict[str, Any] | None, EnvironmentFailure | None]:
        """A manifest, complete or failed; or the failure that prevented the task from running."""
        one = self._launched[task.identity]
        one.answer = asyncio.ensure_future(self._launch(task))
        try:
            return await self._believed(task, await one.answer), None
        except asyncio.CancelledError:
            if not one.is_given_up:
                raise
            return None, EnvironmentFailure("its node left the cluster", one.host, worker_lost=True)
        except Exception as error:
            host = one.host or self._only_host()
            failure = environment_failure_of(error, host)
            if failure is not None:
                return None, failure
            reason = f"attempt {number}:\n{traceback.format_exc()}"
        try:
            return await self._write_failure(task, reason), None
        except EnvironmentFailure as unwritable:
            return None, unwritable

    async def _believed(self, task: FoldTask | ArtifactTask, told: dict[str, Any]) -> dict[str, Any]:
        """The stored manifest of a worker that told of a result: what it told counts for nothing.

        EnvironmentFailure: there is none, even after a while, so the worker has another runs folder.
        """
        folder = self._store.folder(task.kind, task.identity)

        def stored() -> dict[str, Any] | None:
            found = self._store.manifest(task.kind, task.identity)
            is_there = found is not None and found["status"] in ("complete", told.get("status"))
            return found if is_there else None

        found = await self._in_store(found_late, stored, folder.parent, folder)
        if found is not None:
            return found
        one = self._launched[task.identity]
        raise EnvironmentFailure(
            f"its worker told of a result, but {folder} holds none: the runs folder there is another one",
            one.host,
        )

    async def _write_failure(self, task: FoldTask | ArtifactTask, reason: str) -> dict[str, Any]:
        return await self._in_store(self._store.write_failure, task.kind, task.identity, task.record, reason)

    async def _in_store(self, call: Callable[..., Answer], *arguments: Any) -> Answer:
        """A call of the results store, off the event loop. EnvironmentFailure: it cannot be used."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)
        except Exception as error:
            raise environment_failure(error) or error from error

    def _checkpoints(self, task: FoldTask | ArtifactTask) -> set[str]:
        """Names of the task's checkpoints: a new one between two losses counts as progress."""
        folder = self._store.root / "checkpoints" / task.identity
        return {path.name for path in folder.rglob("*.json")}

    def _note(
        self, task: FoldTask | ArtifactTask, failure: EnvironmentFailure, losses: int, wait: float | None
    ) -> None:
        what = "lost its worker" if failure.worker_lost else "was stopped by its environment"
        then = "no further attempt" if wait is None else f"restarting in {wait:g} s"
        where = failure.host or "an unknown host"
        self.note(
            "lost" if failure.worker_lost else "stopped",
            failure.host,
            f"{label(task)} {what} on {where}: {failure.reason}; {then}",
            in_a_row=losses,
            wait_seconds=wait,
        )

    def _finish(
        self,
        task: FoldTask | ArtifactTask,
        manifest: dict[str, Any],
        *,
        reused: bool = False,
        slot_seconds: float = 0.0,
    ) -> dict[str, Any]:
        self._finished.append(
            {
                "identity": task.identity,
                "label": label(task),
                "fold": task.fold_index if isinstance(task, FoldTask) else None,
                "part": task.record["fold"]["part"] if isinstance(task, FoldTask) else None,
                "group": group(task),
                "key": task.cost_key,
                "gflop": task.gflop,
                "status": manifest["status"],
                "seconds": manifest.get("seconds", 0.0),
                "slot_seconds": slot_seconds,
                "accuracy": manifest.get("accuracy"),
                "reused": reused,
            }
        )
        return manifest


async def _in_turns(items: Iterable[Item]) -> AsyncIterator[Item]:
    """The items, with a turn for the others on the event loop after every TURN."""
    for number, item in enumerate(items, start=1):
        yield item
        if number % TURN == 0:
            await asyncio.sleep(0)


def group(task: FoldTask | ArtifactTask) -> str:
    """The task's group in the progress display."""
    return task.artifact.title if isinstance(task, ArtifactTask) else task.role


def label(task: FoldTask | ArtifactTask) -> str:
    """The task's name in messages."""
    if isinstance(task, ArtifactTask):
        return f"{task.artifact.title} {task.data.dataset} {task.identity[:6]}"
    fold = task.record["fold"]
    role = "final" if fold["role"] == "final" else f"validation split {fold['part']}"
    net = task.record["config"].get("backbone", "")
    seed = f"seed {task.record['seed']}"
    words = (task.record["method"], net, task.data.dataset, seed, f"fold {fold['index']}", role)
    return " ".join(word for word in words if word)


def _lost(task: FoldTask | ArtifactTask, failure: EnvironmentFailure) -> dict[str, Any]:
    """The answer for a task that could not be run."""
    reason = f"{label(task)} could not be run: {failure}"
    if failure.worker_lost:
        reason += f"; its worker was lost {LOST_WORKERS_IN_A_ROW + 1} times in a row"
    return {"identity": task.identity, "status": LOST, "reason": reason, "traceback": reason}
