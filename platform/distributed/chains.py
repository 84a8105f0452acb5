"""Chains of tasks: what can start at once, and what a task waits for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from platform.runs.tasks import ArtifactTask, FoldTask, Task, below

Stored = Mapping[str, dict[str, Any] | Exception | None]
"""Identity to the stored manifest, to why it cannot be read, or None where there is none."""


def starts(
    tasks: Iterable[FoldTask | ArtifactTask], stored: Stored, priority: float = 0.0
) -> Iterator[tuple[float, FoldTask | ArtifactTask, float]]:
    """What can start now: the tasks that wait for nothing, and the ends of the chains below the others.

    Each with the work of the chain that it begins, and of what waits for it.
    """
    for task in tasks:
        chain = task.gflop + priority
        for needed in dispatched_first(task):
            waits = [one for one in needed if not _is_complete(stored.get(one.identity))]
            if waits:
                yield from starts(waits, stored, chain)
                break
        else:
            yield chain, task, priority


def _is_complete(manifest: dict[str, Any] | Exception | None) -> bool:
    return isinstance(manifest, dict) and manifest["status"] == "complete"


def dispatched_first(task: Task) -> tuple[list[ArtifactTask], list[ArtifactTask]]:
    """What the task waits for: the ends of the chains below it, then the rest of what it uses itself.

    The ends ask for what they rest on in turn, with the priority of their whole chain.
    """
    needed = _nearest_that_train(task)
    lower = {name for one in needed.values() for name in below(one)}
    return (
        [one for name, one in needed.items() if name not in lower],
        [one for name, one in needed.items() if name in lower],
    )


def _nearest_that_train(task: Task) -> dict[str, ArtifactTask]:
    """The nearest artifacts below the task that train, by identity.

    Those that train nothing are made by whoever needs them, who thus waits for what they rest on.
    """
    found: dict[str, ArtifactTask] = {}
    for needed in task.inputs.values():
        found |= {needed.identity: needed} if needed.trains else _nearest_that_train(needed)
    return found
