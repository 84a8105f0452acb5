"""What a task may see of its prepared store."""

from __future__ import annotations

from pathlib import Path

from datasets.folds.view import FoldView
from datasets.prepared.store import PreparedStore
from platform.errors import UserError
from platform.runs.tasks import FoldTask, MaskTask, Stage1Task


def view_of(task: FoldTask | Stage1Task | MaskTask) -> FoldView:
    """The prepared store as this task may see it. UserError when it is not the store of the record."""
    prepared = PreparedStore.open(Path(task.data.folder))
    if prepared.hash != task.data.hash:
        raise UserError(
            f"{task.data.folder} holds data {prepared.hash}, but this run was planned for {task.data.hash}; "
            "the data set was prepared again meanwhile: run the command again, under another --name."
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
