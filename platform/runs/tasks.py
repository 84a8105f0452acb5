"""Tasks: fold runs, stage-1 runs and mask sets as plain data that can travel to any worker.

A task carries the subjects that it may train on and evaluate, and nothing of any other subject. Its record
holds everything that can change its outcome; its identity is the hash of the record.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

from datasets.folds.rules import Fold, subjects_hash
from datasets.masks.controls import CONTROLS
from platform.config.configuration import Configuration, to_dict
from platform.errors import LeakageError, UserError, unknown_name
from platform.models import load_method
from platform.models.costs.facts import Costs
from platform.models.costs.known import method_costs, stage1_costs
from platform.models.networks.weights import by_content, is_released
from platform.models.plugins import PlugIn
from platform.runs.cost import OVERHEAD_GFLOP
from platform.runs.identity import RESULT_VERSION, identity
from platform.runs.store import Kind

MASK_RECIPE_VERSION = 1
"""Raised when the mask recipe of datasets/masks/motion_masks.py changes its output."""


CHECKPOINT_EVERY_EPOCHS = 10
"""Epochs between two checkpoints by default."""


@dataclass(frozen=True, kw_only=True)
class DataReference:
    """A prepared store, by place and by content."""

    folder: str
    """Absolute path, seen by all nodes."""
    dataset: str
    hash: str
    class_names: tuple[str, ...]
    """The store's classes, or the ones among them that an experiment asks for."""
    stands_for: str = ""
    """The data set whose reported numbers apply, if it has another name; in no record."""


@dataclass(frozen=True, kw_only=True)
class MaskTask:
    """Motion masks of one data set's training subjects, released masks, or a control that replaces them."""

    kind: ClassVar[Kind] = "masks"
    identity: str
    record: dict[str, Any]
    data: DataReference
    train_subjects: tuple[str, ...]
    released_folder: str = ""
    """Folder of released masks, absolute, seen by all nodes; empty for masks to be built."""
    released_fold: int = 0
    control_of: MaskTask | None = None
    """The masks that the control replaces (datasets/masks/controls.py)."""
    control: str = ""


@dataclass(frozen=True, kw_only=True)
class TrainingTask(ABC):
    """A task that trains: what a stage-1 run and a fold run have in common."""

    kind: ClassVar[Kind]
    """Folder of the results store that the result goes to."""
    stage: ClassVar[Literal["stage1", "stage2"]]
    identity: str
    record: dict[str, Any]
    data: DataReference
    train_subjects: tuple[str, ...]
    training_images: int
    """Expressive images of the training subjects, each seen once an epoch. Not in the record."""
    checkpoint_every_epochs: int = CHECKPOINT_EVERY_EPOCHS
    """Not in the record: it changes no result."""
    plugin: PlugIn | None = None
    """The file of a method of the user's own. It travels with the task; the record holds its SHA-256."""

    @property
    def epochs(self) -> int:
        """Epochs of the task's stage."""
        config = self.record["config"]
        count: int = config[f"{self.stage}_constant_epochs"] + config[f"{self.stage}_decay_epochs"]
        return count

    @property
    def gflop(self) -> float:
        """Training arithmetic in GFLOP, counted from the net, with an allowance for each image."""
        return self.training_images * (self.costs.gflop_an_image + OVERHEAD_GFLOP) * self.epochs

    @cached_property
    def costs(self) -> Costs:
        """Costs of the task's stage. UserError: images too small for its net.

        Counted at the first call, which imports torch unless such a net is known; a copy that is sent to
        another process takes the answer along.
        """
        return self._costs()

    @abstractmethod
    def _costs(self) -> Costs:
        """The costs, counted or known."""

    @property
    @abstractmethod
    def cost_key(self) -> str:
        """Tasks with the same key take about the same time for the same arithmetic."""


@dataclass(frozen=True, kw_only=True)
class Stage1Task(TrainingTask):
    """Pretraining of a mask generator; shared by all fold runs whose stage 1 is the same."""

    kind: ClassVar[Kind] = "stage1"
    stage: ClassVar[Literal["stage1", "stage2"]] = "stage1"
    masks: MaskTask

    @property
    def cost_key(self) -> str:
        """As every task's."""
        return "stage1"

    def _costs(self) -> Costs:
        return stage1_costs(self.record["config"])


@dataclass(frozen=True, kw_only=True)
class FoldTask(TrainingTask):
    """One fold run."""

    kind: ClassVar[Kind] = "fold_runs"
    stage: ClassVar[Literal["stage1", "stage2"]] = "stage2"
    masks: MaskTask | None
    stage1: Stage1Task | None
    evaluation_subjects: tuple[str, ...]

    @property
    def cost_key(self) -> str:
        """As every task's."""
        return f"{self.record['method']}/{self.record['config'].get('backbone', '')}"

    def _costs(self) -> Costs:
        return method_costs(self.record["method"], self.record["config"], len(self.data.class_names))

    @property
    def role(self) -> Literal["inner", "final"]:
        """`inner`: scores inner validation subjects; `final`: scores the outer test subjects."""
        role: Literal["inner", "final"] = self.record["fold"]["role"]
        return role

    @property
    def fold_index(self) -> int:
        """The outer fold's number."""
        index: int = self.record["fold"]["index"]
        return index


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What can change a fold run's last bits about the place where it computes."""

    device: Literal["cpu", "cuda"] = "cpu"
    cpu_threads: int = 1
    train_workers: int = 0
    checkpoint_every_epochs: int = CHECKPOINT_EVERY_EPOCHS
    """The one field that changes no bit, and so is in no record."""

    def to_dict(self) -> dict[str, Any]:
        """As a record holds it."""
        record = {"device": self.device, "cpu_threads": self.cpu_threads, "train_workers": self.train_workers}
        # On GPUs `fp32` let convolutions use TF32 until 28 November 2026: other numbers, so another identity.
        return {**record, "float32": "ieee"} if self.device == "cuda" else record


def mask_task(data: DataReference, train_subjects: Sequence[str]) -> MaskTask:
    """The motion masks of these subjects."""
    record = {
        "kind": "masks",
        "recipe_version": MASK_RECIPE_VERSION,
        "data": _data(data),
        "train_subjects": subjects_hash(train_subjects),
    }
    return MaskTask(identity=identity(record), record=record, data=data, train_subjects=tuple(train_subjects))


def released_mask_task(data: DataReference, fold: Fold, folder: str, masks_hash: str) -> MaskTask:
    """FMPN's released masks of that fold, named by their content (`MaskSet.hash`)."""
    record = {"kind": "masks", "released": masks_hash, "fold": fold.index}
    return MaskTask(
        identity=identity(record),
        record=record,
        data=data,
        train_subjects=tuple(fold.train_subjects),
        released_folder=folder,
        released_fold=fold.index,
    )


def control_mask_task(control: str, masks: MaskTask) -> MaskTask:
    """The masks of a control that replaces `masks`. UserError: an unknown control."""
    if control not in CONTROLS:
        raise unknown_name("mask control", control, CONTROLS)
    record = {
        "kind": "masks",
        "control": control,
        "recipe_version": MASK_RECIPE_VERSION,
        "of": masks.identity,
    }
    return dataclasses.replace(
        masks, identity=identity(record), record=record, control_of=masks, control=control
    )


def fold_task(
    configuration: Configuration,
    data: DataReference,
    fold: Fold,
    *,
    fold_rule: str,
    part: int | None,
    validation_subjects: Sequence[str] | None,
    machine: Machine,
    images_of_subject: Mapping[str, int],
    masks: MaskTask | None = None,
    mask_control: str | None = None,
    pretrain: bool = True,
    generator: Stage1Task | None = None,
) -> FoldTask:
    """The fold run of a configuration.

    validation_subjects: validation split number `part` of the fold; the run trains on the fold's other
    training subjects and scores these. None: the final run, which trains on all training subjects of the
    fold and scores its test subjects.
    images_of_subject: expressive images of every training subject.
    masks: replace the masks of the run's own training subjects; `mask_control` then replaces either.
    pretrain: False leaves out stage 1. generator: a stage 1 on other subjects, which replaces the run's own.
    With weights of a released checkpoint there is no stage 1: it brings a trained mask generator.
    """
    final = validation_subjects is None
    outside = sorted(set(validation_subjects or ()) - set(fold.train_subjects))
    if outside:
        raise LeakageError(f"subjects {', '.join(outside)} validate, but are not of fold {fold.index}")
    evaluation = tuple(fold.test_subjects if validation_subjects is None else sorted(validation_subjects))
    train = tuple(fold.train_subjects if final else sorted(set(fold.train_subjects) - set(evaluation)))
    method = load_method(configuration.method)
    values = to_dict(configuration)
    if not method.uses_masks:
        masks = None
    else:
        masks = masks or mask_task(data, train)
        masks = masks if mask_control is None else control_mask_task(mask_control, masks)
    stage1 = None
    if is_released(getattr(configuration, "weights", "none")):
        if generator is not None:
            raise UserError(
                "weights released:FILE bring a mask generator, but this row takes one from another data set; "
                "pass --transfer masks, or other --weights."
            )
    elif method.pretrains_generator:
        stage1 = generator
        if stage1 is None and pretrain:
            assert masks is not None
            stage1 = stage1_task(configuration, data, masks, train, machine, images_of_subject)
    record = {
        "kind": "fold_run",
        "result_version": RESULT_VERSION,
        "method": configuration.method,
        **method.record(),
        "config": method.settings(values).to_dict(),
        "data": _data(data),
        "fold": {
            "rule": fold_rule,
            "index": fold.index,
            "role": "final" if final else "inner",
            "part": part,
            "train_subjects": subjects_hash(train),
            "evaluation_subjects": subjects_hash(evaluation),
        },
        "masks": masks.identity if masks else None,
        "stage1": stage1.identity if stage1 else None,
        "seed": configuration.seed,
        **machine.to_dict(),
    }
    return FoldTask(
        # The same weights in another place are the same run.
        identity=identity({**record, "config": by_content(record["config"])}),
        record=record,
        data=data,
        masks=masks,
        stage1=stage1,
        train_subjects=train,
        training_images=sum(images_of_subject[subject] for subject in train),
        evaluation_subjects=evaluation,
        checkpoint_every_epochs=machine.checkpoint_every_epochs,
        plugin=method.plugin,
    )


def stage1_task(
    configuration: Configuration,
    data: DataReference,
    masks: MaskTask,
    train: Sequence[str],
    machine: Machine,
    images_of_subject: Mapping[str, int],
) -> Stage1Task:
    """Pretraining of the configuration's mask generator on these subjects and masks.

    images_of_subject: expressive images of every training subject.
    """
    method = load_method(configuration.method)
    record = {
        "kind": "stage1",
        "result_version": RESULT_VERSION,
        **method.record(),
        "config": method.pretraining_settings(to_dict(configuration)).to_dict(),
        "data": _data(data),
        "train_subjects": subjects_hash(train),
        "masks": masks.identity,
        **machine.to_dict(),
    }
    return Stage1Task(
        identity=identity(record),
        record=record,
        data=data,
        masks=masks,
        train_subjects=tuple(train),
        training_images=sum(images_of_subject[subject] for subject in train),
        checkpoint_every_epochs=machine.checkpoint_every_epochs,
        plugin=method.plugin,
    )


def _data(data: DataReference) -> dict[str, Any]:
    return {"dataset": data.dataset, "hash": data.hash, "classes": list(data.class_names)}
