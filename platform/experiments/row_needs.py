"""Requirements of fold runs on their data, checked before any of them starts.

Without these checks, baselines without artifacts would train for hours before the one impossible row fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from datasets.augmentation.content import is_content
from datasets.catalogue import describe
from datasets.prepared.merged_names import sets_of
from platform.errors import UserError
from platform.models import load_method
from platform.models.artifact import ArtifactData
from platform.runs.fold_tasks import PlannedData
from platform.runs.tasks import ArtifactTask, FoldTask, below, trained_artifacts


def check_needs(tasks: Iterable[FoldTask], data: Sequence[PlannedData]) -> None:
    """UserError for the first fold run whose images are too small for its nets, that scores sequences and
    has none, or with an artifact, at any depth, that cannot be made from its data.

    data: all data sets that the tasks read, sources of artifacts among them.
    """
    of_hash = {planned.data.hash: planned for planned in data}
    checked: set[str] = set()
    for task in tasks:
        _check_nets(task)
        method = load_method(task.record["method"])
        settings = method.settings(task.record["config"])
        method.check_artifacts(settings, task.artifacts.keys(), f"{method.title} on {task.data.dataset}")
        _check_augmentation(task, of_hash[task.data.hash])
        if method.unit == "sequence":
            _check_sequences(task, of_hash[task.data.hash], method.title)
        for name, needed in below(task).items():
            if name not in checked:
                checked.add(name)
                needed.artifact.check_data(_known(needed, of_hash[needed.data.hash]), method.title)


def _check_sequences(task: FoldTask, planned: PlannedData, title: str) -> None:
    """UserError: the fold run has no sequence to train on, or none to score."""
    for what, subjects in (("train", task.train_subjects), ("test", task.evaluation_subjects)):
        if not any(planned.sequences_of_subject.get(subject) for subject in subjects):
            raise UserError(
                f"{title} {what}s on sequences, but the {what} subjects of fold {task.fold_index} of "
                f"{task.data.dataset} have none; prepare the layer `sequences` with all of them, or pass "
                "fewer --folds."
            )


def _check_nets(task: FoldTask) -> None:
    """UserError: images too small for the net of the fold run or of an artifact that it rests on."""
    for one in (task, *trained_artifacts([task]).values()):
        _ = one.costs


def _known(task: ArtifactTask, planned: PlannedData) -> ArtifactData:
    """What the artifact may ask about the data that it is made from."""
    return ArtifactData(
        dataset=task.data.dataset,
        title=" + ".join(describe(name).title for name in sets_of(task.data.dataset)),
        class_names=task.data.class_names,
        subjects=task.train_subjects,
        neutral_faces=planned.neutral_faces,
        classes_of_subject=planned.classes_of_subject,
    )


def _check_augmentation(task: FoldTask, planned: PlannedData) -> None:
    """UserError: albumentations transforms, which work on squares, on a set that holds rectangles."""
    config = task.record["config"]
    names = [config[name] for name in ("augmentation", "stage2_augmentation") if name in config]
    wrong = [name for name in names if name == "strong" or is_content(name)]
    if wrong and planned.has_rectangles:
        raise UserError(
            f"albumentations transforms work on square faces, but {task.data.dataset} was prepared with "
            "--resample released; pass --augmentation paper or none, or prepare it with --resample cubic."
        )
