"""Motion masks of a task, loaded from the results store or built and stored."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from datasets.masks.controls import WITHOUT_MASKS, control_masks, drawn_masks
from datasets.masks.motion_masks import MaskSet, build_masks, select_masks
from datasets.prepared.store import PreparedStore
from platform.errors import UserError
from platform.runs.store import ResultsStore
from platform.runs.task_view import view_of
from platform.runs.tasks import MaskTask


def load_masks(task: MaskTask, store: ResultsStore, class_names: tuple[str, ...]) -> MaskSet:
    """The motion masks of the task in the order of `class_names`; built and stored if they do not exist.

    Two workers may build the same set at once: the first writer's stays. Raises UserError that names a class
    without a mask.
    """
    if not store.is_complete("masks", task.identity):
        if task.control in WITHOUT_MASKS:
            masks = drawn_masks(task.control, class_names, _size_pixels(task))
        elif task.control_of is not None:
            masks = control_masks(task.control, load_masks(task.control_of, store, class_names))
        elif task.released_folder:
            masks = _released_masks(task)
        else:
            masks = build_masks(view_of(task))
        buffer = io.BytesIO()
        np.save(buffer, masks.images, allow_pickle=False)
        store.write(
            "masks",
            task.identity,
            task.record,
            {"masks.npy": buffer.getvalue()},
            classes=list(masks.class_names),
        )
    manifest = store.manifest("masks", task.identity)
    assert manifest is not None
    images = np.load(io.BytesIO(store.read("masks", task.identity, "masks.npy")), allow_pickle=False)
    return select_masks(MaskSet(class_names=tuple(manifest["classes"]), images=images), class_names)


def _size_pixels(task: MaskTask) -> int:
    """Side length of the faces that the masks belong to."""
    return PreparedStore.open(Path(task.data.folder)).size_pixels


def _released_masks(task: MaskTask) -> MaskSet:
    """The released masks named by the task's record. UserError where the files have changed since."""
    from datasets.masks.released import released_mask_set

    folder, classes = Path(task.released_folder), task.data.class_names
    masks = released_mask_set(folder, task.released_fold, classes, _size_pixels(task))
    if masks.hash != task.record["released"]:
        raise UserError(
            f"the masks in {task.released_folder} are no longer those that this run was planned with; "
            "run the same command again."
        )
    return masks
