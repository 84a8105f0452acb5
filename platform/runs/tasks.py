"""Tasks: fold runs and the artifacts that they use, as plain data that can travel to any worker.

A task carries the subjects that it may train on and evaluate, and nothing of any other subject. Its record
holds everything that can change its outcome; its identity is the hash of the record.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

from platform.models.artifact import Artifact
from platform.models.costs.facts import NOT_COUNTED, Costs
from platform.models.costs.known import method_costs, stage_costs
from platform.models.method import Settings
from platform.models.plugins import PlugIn
from platform.models.shared_stage import SharedStage
from platform.runs.cost import OVERHEAD_GFLOP

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
    layers: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Hashes of the store's layers that the planned methods read; a record holds those that its run reads."""
    stands_for: str = ""
    """The data set whose reported numbers apply, if it has another name; in no record."""


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """What fold runs and artifacts have in common."""

    identity: str
    record: dict[str, Any]
    data: DataReference
    train_subjects: tuple[str, ...]
    training_images: int
    """Expressive images of the training subjects, or their sequences where those are what it trains on; each
    is seen once an epoch. Not in the record."""
    checkpoint_every_epochs: int = CHECKPOINT_EVERY_EPOCHS
    """Not in the record: it changes no result."""
    plugin: PlugIn | None = None
    """The file of a method of the user's own. It travels with the task; the record holds its SHA-256."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """Folder of the results store that the result goes to."""

    @property
    @abstractmethod
    def inputs(self) -> Mapping[str, ArtifactTask]:
        """The artifacts that it uses itself, by name."""

    @property
    @abstractmethod
    def epochs(self) -> int:
        """Epochs that it trains; 0 for what trains no net."""

    @property
    def gflop(self) -> float:
        """Training arithmetic in GFLOP, counted from the net, with an allowance for each image."""
        return self.training_images * (self.costs.gflop_an_image + OVERHEAD_GFLOP) * self.epochs

    @cached_property
    def costs(self) -> Costs:
        """Costs of the task's own stage. UserError: images too small for its net.

        Counted at the first call, which imports torch unless such a net is known; a copy that is sent to
        another process takes the answer along.
        """
        return self._costs()

    @abstractmethod
    def _costs(self) -> Costs:
        """The costs, counted or known."""

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """Images per step; 0 for what trains no net."""

    @property
    @abstractmethod
    def cost_key(self) -> str:
        """Tasks with the same key take about the same time for the same arithmetic."""


@dataclass(frozen=True, kw_only=True)
class ArtifactTask(Task):
    """One artifact of certain training subjects; shared by all fold runs whose record names its identity."""

    artifact: Artifact
    method: str = ""
    """Name of the method that declares it; empty for one that no method's options reach."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The options that reach it, and their values."""
    rests_on: Mapping[str, ArtifactTask] = field(default_factory=dict)

    @property
    def inputs(self) -> Mapping[str, ArtifactTask]:
        """As every task's."""
        return self.rests_on

    @property
    def kind(self) -> str:
        """As every task's."""
        return self.artifact.folder

    @property
    def trains(self) -> bool:
        """Whether it is dispatched by itself; otherwise whoever needs it first makes it."""
        return self.artifact.trains

    @property
    def epochs(self) -> int:
        """As every task's."""
        return sum(self.options[name] for name in self.artifact.epoch_fields)

    @property
    def cost_key(self) -> str:
        """As every task's."""
        return self.artifact.name

    def _costs(self) -> Costs:
        settings = Settings(self.options, self.options)
        stated = self.artifact.costs(settings)
        if stated is None and isinstance(self.artifact, SharedStage):
            return stage_costs(self.method, self.artifact, settings, len(self.data.class_names))
        return stated or NOT_COUNTED

    @property
    def batch_size(self) -> int:
        """As every task's."""
        return int(self.options.get(self.artifact.batch_field, 0))


@dataclass(frozen=True, kw_only=True)
class FoldTask(Task):
    """One fold run."""

    kind: ClassVar[str] = "fold_runs"
    artifacts: Mapping[str, ArtifactTask]
    """What it uses beside its data, by name."""
    evaluation_subjects: tuple[str, ...]

    @property
    def inputs(self) -> Mapping[str, ArtifactTask]:
        """As every task's."""
        return self.artifacts

    @property
    def epochs(self) -> int:
        """As every task's: those of the last stage."""
        config = self.record["config"]
        count: int = config.get("stage2_constant_epochs", 0) + config.get("stage2_decay_epochs", 0)
        return count

    @property
    def batch_size(self) -> int:
        """As every task's."""
        size: int = self.record["config"].get("stage2_batch_size", 1)
        return size

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


def below(task: Task) -> dict[str, ArtifactTask]:
    """All artifacts that the task rests on, at any depth, by identity; each after those it rests on."""
    found: dict[str, ArtifactTask] = {}
    for needed in task.inputs.values():
        found |= below(needed)
        found[needed.identity] = needed
    return found


def trained_artifacts(tasks: Iterable[Task]) -> dict[str, ArtifactTask]:
    """The artifacts that train and that the tasks rest on, at any depth, by identity."""
    return {name: needed for task in tasks for name, needed in below(task).items() if needed.trains}
