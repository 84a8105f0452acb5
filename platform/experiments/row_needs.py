"""Requirements of fold runs on their data, checked before any of them starts.

Without these checks, baselines without masks would train for hours before the one impossible row fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from datasets.augmentation.content import is_content
from datasets.catalogue import describe
from datasets.masks.controls import WITHOUT_MASKS
from datasets.prepared.merged_names import sets_of
from platform.errors import UserError
from platform.models import load_method
from platform.models.networks.weights import is_released
from platform.runs.fold_tasks import PlannedData
from platform.runs.tasks import FoldTask, MaskTask


def check_needs(tasks: Iterable[FoldTask], data: Sequence[PlannedData]) -> None:
    """UserError for the first fold run whose images are too small for its nets, or whose masks or mask
    generator cannot be made from its data.

    data: all data sets that the tasks read, sources of masks and generators among them.
    """
    of_hash = {planned.data.hash: planned for planned in data}
    checked: set[str] = set()
    for task in tasks:
        _check_nets(task)
        title = load_method(task.record["method"]).title
        _check_generator(task, title)
        _check_augmentation(task, of_hash[task.data.hash])
        wanted = (task.masks, task.stage1.masks if task.stage1 else None)
        for masks in wanted:
            if masks is not None and masks.identity not in checked:
                checked.add(masks.identity)
                if _are_built(masks):
                    _check_buildable(masks, of_hash[masks.data.hash], title)


def _check_nets(task: FoldTask) -> None:
    """UserError: images too small for the net of the fold run or of its stage 1."""
    for one in (task, task.stage1):
        if one is not None:
            _ = one.costs


def _are_built(masks: MaskTask) -> bool:
    """Whether the masks are made from the data set's own faces."""
    if masks.control in WITHOUT_MASKS:
        return False
    return not masks.released_folder


def _check_generator(task: FoldTask, title: str) -> None:
    config = task.record["config"]
    frozen = config.get("freeze_generator", False) and not is_released(config["weights"])
    if frozen and task.stage1 is None and load_method(task.record["method"]).pretrains_generator:
        raise UserError(
            f"freeze_generator keeps the mask generator of stage 1, but {title} on {task.data.dataset} would "
            "run without a stage 1 here; pass --freeze-generator no."
        )


def _check_augmentation(task: FoldTask, planned: PlannedData) -> None:
    """UserError: albumentations transforms, which work on squares, on a set that holds rectangles."""
    names = [task.record["config"][name] for name in ("augmentation", "stage2_augmentation")]
    wrong = [name for name in names if name == "strong" or is_content(name)]
    if wrong and planned.has_rectangles:
        raise UserError(
            f"albumentations transforms work on square faces, but {task.data.dataset} was prepared with "
            "--resample released; pass --augmentation paper or none, or prepare it with --resample cubic."
        )


def _check_buildable(masks: MaskTask, planned: PlannedData, title: str) -> None:
    """UserError: a subject with no or several neutral faces, or a class that no subject shows."""
    subjects, dataset = masks.train_subjects, masks.data.dataset
    shown = " + ".join(describe(name).title for name in sets_of(dataset))
    counts = {subject: planned.neutral_faces.get(subject, 0) for subject in subjects}
    wrong = [subject for subject in subjects if counts[subject] != 1]
    if wrong:
        raise UserError(
            f"{title} needs one neutral face of each subject for its motion masks, but {len(wrong)} of "
            f"{len(subjects)} training subjects of {shown} have none or several (the first, {wrong[0]}, has "
            f"{counts[wrong[0]]}); pass --masks released DIR (crossval; FMPN's released masks), --masks "
            f"{', '.join(WITHOUT_MASKS[:-1])} or {WITHOUT_MASKS[-1]} (controls without a prior), --method "
            "cnn (no masks), or use another data set's masks: python -m platform.transfer --source NAME "
            f"--target {dataset}, with --preset and --data-root as here."
        )
    present = frozenset().union(*(planned.classes_of_subject.get(one, frozenset()) for one in subjects))
    lacking = [name for name in masks.data.class_names if name not in present]
    if lacking:
        raise UserError(
            f"{title} needs a training image of every class for its motion masks, but a fold run on {shown} "
            f"trains on {len(subjects)} subjects without {', '.join(lacking)}; pass another number of "
            "--folds."
        )
