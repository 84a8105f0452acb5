"""Motion masks as artifacts of a data set: of its training subjects, and FMPN's released ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datasets.masks.motion_masks import MaskSet
from platform.models.masks.motion_masks import MotionMasks, ReleasedMasks, masks_of
from platform.runs.artifacts import load_artifact
from platform.runs.fold_tasks import PlannedData
from platform.runs.planned_tasks import artifact_task
from platform.runs.store import ResultsStore
from platform.runs.tasks import ArtifactTask


def load_masks(task: ArtifactTask, store: ResultsStore, class_names: Sequence[str]) -> MaskSet:
    """The masks of the task in the order of `class_names`; built and stored if they do not exist.

    Raises UserError that names a class without a mask.
    """
    return masks_of(load_artifact(task, store), class_names)


def own_masks(planned: PlannedData) -> list[ArtifactTask]:
    """The masks of each fold's training subjects."""
    return [artifact_task(MotionMasks(), planned.data, fold.train_subjects) for fold in planned.folds.folds]


def released_masks(planned: PlannedData, folder: Path) -> list[ArtifactTask]:
    """FMPN's released masks, one set for each fold.

    UserError: the release's folds test other subjects, so that its masks would show test subjects of these
    folds; or a class has no mask.
    """
    from datasets.masks.released import check_same_folds, released_mask_set

    folder = folder.absolute()  # a worker may stand elsewhere
    check_same_folds(folder, planned.folds.folds)
    tasks = []
    for fold in planned.folds.folds:
        masks = released_mask_set(folder, fold.index, planned.data.class_names, planned.size_pixels)
        artifact = ReleasedMasks(release=str(folder), fold=fold.index, masks_hash=masks.hash)
        tasks.append(artifact_task(artifact, planned.data, fold.train_subjects))
    return tasks
