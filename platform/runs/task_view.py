"""Access of a task to its prepared store, restricted to the subjects of its role."""

from __future__ import annotations

from pathlib import Path

from datasets.folds.view import FoldView
from datasets.prepared.store import PreparedStore
from platform.errors import UserError
from platform.runs.reach import check_reach
from platform.runs.tasks import FoldTask, Task


def view_of(task: Task) -> FoldView:
    """The part of the prepared store that the task may read.

    UserError: not the store of its record. LeakageError or UserError as `check_reach`: what the task uses has
    seen a subject that it evaluates.
    """
    if isinstance(task, FoldTask):
        check_reach(task)
    prepared = PreparedStore.open(Path(task.data.folder))
    if prepared.hash != task.data.hash:
        raise UserError(
            f"{task.data.folder} holds data {prepared.hash}, but this run was planned for {task.data.hash}: "
            "the data set has been prepared again; run the command again under another --name."
        )
    layers = task.record.get("data", {}).get("layers", {})
    if layers and prepared.layer_hashes(layers) != layers:
        raise UserError(
            f"{task.data.folder} has other layers ({', '.join(layers)}) than planned: they have "
            "been prepared again; run the command again under another --name."
        )
    if isinstance(task, FoldTask):
        return FoldView(
            prepared,
            train_subjects=task.train_subjects,
            evaluation_subjects=task.evaluation_subjects,
            role=task.role,
            class_names=task.data.class_names,
        )
    return FoldView(
        prepared,
        train_subjects=task.train_subjects,
        evaluation_subjects=(),
        role="final",
        class_names=task.data.class_names,
    )
