"""Tasks on their way to the dispatcher and to workers: long lists of subjects travel apart, each once.

A task carries the subjects that it may read. At AffectNet's size, with a subject for each image, that is
megabytes for every task. Such a list goes into Ray's object store once, and the task holds its hash.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from platform.runs.tasks import ArtifactTask, FoldTask, Task

LONGEST_CHARACTERS = 2000
"""Of a list that stays in its task."""
MARK = "\0subjects "
"""Start of the one name in a list's place: no subject has it, so a view refuses such a task."""

Subjects = tuple[str, ...]
Lists = Mapping[str, Any]
"""SHA-256 of a list to the list, or to Ray's reference of it."""
AnyTask = TypeVar("AnyTask", bound=Task)


def travelling(tasks: Iterable[FoldTask]) -> tuple[list[FoldTask], dict[str, Any]]:
    """The tasks without long lists, and references of the lists: the arguments of `RayDispatcher.run`."""
    import ray

    light, lists = without_lists(tasks)
    return light, {name: ray.put(subjects) for name, subjects in lists.items()}


def without_lists(tasks: Iterable[FoldTask]) -> tuple[list[FoldTask], dict[str, Subjects]]:
    """Copies of the tasks in which hashes stand for long lists, and the lists."""
    lists: dict[str, Subjects] = {}
    names: dict[int, Subjects] = {}

    def outside(subjects: Subjects) -> Subjects:
        if sum(map(len, subjects)) <= LONGEST_CHARACTERS:
            return subjects
        if id(subjects) not in names:
            name = _hash(subjects)
            lists[name], names[id(subjects)] = subjects, (MARK + name,)
        return names[id(subjects)]

    tasks = list(tasks)  # alive until the end, so that no id is given twice
    return [_changed(task, outside, {}) for task in tasks], lists


def with_lists(task: AnyTask, lists: Lists) -> AnyTask:
    """The task as it was before `without_lists`. RuntimeError: a list is another one than its hash says."""
    import ray

    checked: dict[str, Subjects] = {}

    def inside(subjects: Subjects) -> Subjects:
        name = _name(subjects)
        if name is None:
            return subjects
        if name not in checked:
            found = lists[name]
            checked[name] = ray.get(found) if isinstance(found, ray.ObjectRef) else found
            if _hash(checked[name]) != name:
                raise RuntimeError(f"the subjects of {task.identity} arrived changed")
        return checked[name]

    return _changed(task, inside, {})


def lists_of(task: FoldTask | ArtifactTask) -> set[str]:
    """Names of the lists that the task needs, itself or for what it rests on."""
    found: set[str] = set()

    def look(subjects: Subjects) -> Subjects:
        name = _name(subjects)
        if name is not None:
            found.add(name)
        return subjects

    _changed(task, look, {})
    return found


def _changed(task: AnyTask, change: Any, seen: dict[int, Task]) -> AnyTask:
    """A copy with other lists, of it and of what it rests on; what is shared stays shared. It takes along the
    costs that have been counted."""
    if id(task) not in seen:
        made = copy.copy(task)
        values: dict[str, Any] = {"train_subjects": change(task.train_subjects)}
        inputs = {name: _changed(needed, change, seen) for name, needed in task.inputs.items()}
        if isinstance(task, FoldTask):
            values |= {"evaluation_subjects": change(task.evaluation_subjects), "artifacts": inputs}
        else:
            values["rests_on"] = inputs
        vars(made).update(values)
        seen[id(task)] = made
    found: Any = seen[id(task)]
    copied: AnyTask = found
    return copied


def _name(subjects: Subjects) -> str | None:
    marked = len(subjects) == 1 and subjects[0].startswith(MARK)
    return subjects[0].removeprefix(MARK) if marked else None


def _hash(subjects: Subjects) -> str:
    return hashlib.sha256("\0".join(subjects).encode("utf-8", "surrogatepass")).hexdigest()
