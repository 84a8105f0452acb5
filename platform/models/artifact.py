"""Artifacts: what is made once and used by several runs: shared stages, images of classes, controls.

A method declares its artifacts (`Method.artifacts`). The record of one holds what reaches it and nothing
else, so that runs whose artifacts have the same record share them. Imports no torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from platform.errors import UserError
from platform.models.options.fields import fields_of_groups

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from datasets.folds.view import FoldView
    from platform.models.costs.facts import Costs
    from platform.models.items import Items
    from platform.models.player import Player
    from platform.models.recipe import Recipe
    from platform.models.train_view import TrainView


@dataclass(frozen=True, kw_only=True)
class Content:
    """What an artifact consists of, as the results store holds it."""

    files: Mapping[str, bytes]
    """By name."""
    facts: Mapping[str, Any]
    """JSON values of the manifest."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Everything that reaches an artifact, as JSON values: the material of its record."""

    data: Mapping[str, Any]
    train_subjects: str
    """Hash of the training subjects."""
    rests_on: Mapping[str, str] = field(default_factory=dict)
    """Name to identity of the artifacts that it rests on."""
    method: Mapping[str, Any] = field(default_factory=dict)
    """The method that declares it; empty for one that no method's options reach."""
    code: Mapping[str, Any] = field(default_factory=dict)
    """What the method's code changes (`Method.record`)."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """The options that reach it, as a record holds them."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Version of the results and the machine, which reach what is trained."""


@dataclass(frozen=True, kw_only=True)
class ArtifactData:
    """What is known of an artifact's data while it is planned."""

    dataset: str
    title: str
    """Of the data set."""
    class_names: tuple[str, ...]
    subjects: tuple[str, ...]
    """Training subjects."""
    neutral_faces: Mapping[str, int]
    """Neutral faces of each subject that has any."""
    classes_of_subject: Mapping[str, frozenset[str]]
    """The classes that each subject shows."""


class Brought(NamedTuple):
    """The options bring an artifact's content along, so that it is not made."""

    what: str
    """A sentence without its end: `weights released:FILE bring …`."""
    remedy: str
    """For a run that takes the artifact from elsewhere as well."""


class Trained(NamedTuple):
    """Outcome of `Tools.train`."""

    state: dict[str, Tensor]
    """The trained weights, on the CPU."""
    curve: list[dict[str, float]]
    """One dictionary per epoch."""


class ClassImages(Protocol):
    """One image for each of K classes."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """K names."""
        ...

    @property
    def images(self) -> np.ndarray:
        """uint8 [K, S, S]."""
        ...


class Tools(Protocol):
    """What an artifact may use beside its data: features that are computed once and, if it trains, the
    training loop on the run's device."""

    def cached(self, recipe: Recipe, images: np.ndarray) -> np.ndarray:
        """Features [n, ...] of faces uint8 [n, S, S, 3], as `FitTools.cached`."""
        ...

    def train(
        self,
        stage: str,
        build: Callable[[], nn.Module],
        players: Callable[[nn.Module], Sequence[Player]],
        items: Callable[[Items, TrainView], Items] = lambda single, train: single,
        *,
        constant_epochs: int,
        decay_epochs: int,
        batch_size: int,
        class_images: ClassImages | None = None,
        unit: Literal["image", "sequence"] = "image",
    ) -> Trained:
        """Build a module and train it on the view's training faces; `stage` names it and seeds it.

        players: who trains it, with the losses. items: what an epoch trains on, from single faces, or
        sequences if that is the `unit` (`NetMethod.items`). class_images: one image a class, which a
        batch then holds as `target_mask`.
        """
        ...


class Artifact(ABC):
    """One kind of artifact. Its instances are plain values: equal if they make the same content."""

    name: str
    """Key in the records of what uses it."""
    title: str
    """In messages and in the progress display."""
    folder: str = "artifacts"
    """Folder of the results store."""
    groups: tuple[type, ...] = ()
    """Groups of options (platform/models/options/) that reach it; `make` can read no others. One that trains
    needs those of the training loop: `Configuration`, `Faces` and `AdamMoments`."""
    needs: frozenset[str] = frozenset()
    """Layers of prepared data that it reads beside images, e.g. `sequences`."""
    rests_on: tuple[str, ...] = ()
    """Names of the artifacts that its content is made from."""
    trains: bool = False
    """Whether it trains a net: a task of its own, with checkpoints. Others are made by whoever needs them
    first."""
    epoch_fields: tuple[str, ...] = ()
    """Those of its options whose sum is the number of epochs."""
    batch_field: str = ""
    """The option that is its batch size."""
    unit: Literal["image", "sequence"] = "image"
    """What it trains on; sequences need the layer `sequences`, and the group `SequenceFrames`."""
    by_class: bool = False
    """Whether its content has a part for each class, so that it fits only runs with these classes."""
    optional: bool = False
    """Whether the method can do without it, as an ablation."""
    version: int = 1
    """Raised when its content changes for the same record."""

    @abstractmethod
    def make(self, view: FoldView, settings: Any, inputs: Mapping[str, Content], tools: Tools) -> Content:
        """Make the content from the view's training subjects.

        settings: the options of its groups as attributes; any other raises AttributeError. inputs: the
        artifacts that it rests on, by name.
        """

    def record(self, reach: Reach) -> dict[str, Any]:
        """Everything that can change the content, as JSON values."""
        return {
            "kind": self.name,
            **reach.method,
            **reach.code,
            "version": self.version,
            "config": dict(reach.config),
            "data": dict(reach.data),
            "train_subjects": reach.train_subjects,
            "artifacts": dict(reach.rests_on),
            **(reach.training if self.trains else {}),
        }

    def option_names(self, options: type) -> frozenset[str]:
        """Names of the options that reach it, among those of a method's class `options`."""
        return fields_of_groups(options, self.groups) - {"method"}

    def control(self, name: str, of: str) -> Artifact:
        """The control `name`, which replaces the artifact with the identity `of`. UserError: unknown."""
        raise UserError(
            f"{self.title} has no controls, but the run asks for its control {name!r}; leave it out."
        )

    def check_data(self, data: ArtifactData, method: str) -> None:  # noqa: B027
        """UserError if it cannot be made from these data; `method`: title of the method that needs it."""

    def costs(self, settings: Any) -> Costs | None:
        """Costs that it states itself, because what it trains is no net of torch. None: none are stated."""
        return None

    def brought_by(self, options: Any) -> Brought | None:
        """Whether the options bring the content along."""
        return None


def check_declared(declared: Any, configuration: Any) -> None:
    """UserError: what `Method.artifacts` returns is no mapping of artifacts; an artifact that trains names as
    its epochs or batch size what is no option that reaches it, or trains no epoch."""
    if not (isinstance(declared, Mapping) and all(isinstance(one, Artifact) for one in declared.values())):
        raise UserError(
            f"artifacts of the method {configuration.method} must return a dict of artifacts by name, but "
            f"returned {type(declared).__name__}; correct the method's file."
        )
    for artifact in declared.values():
        reaching = artifact.option_names(type(configuration))
        batch_field = getattr(artifact, "batch_field", "")
        for name in (*artifact.epoch_fields, *([batch_field] if batch_field else [])):
            if name not in reaching:
                raise UserError(
                    f"epochs and batch size of the stage {artifact.name} must be options of its groups, but "
                    f"{name} is none of {', '.join(sorted(reaching))}; correct the method's file."
                )
        epochs = sum(getattr(configuration, name) for name in artifact.epoch_fields)
        if artifact.epoch_fields and epochs < 1:
            raise UserError(f"{' + '.join(artifact.epoch_fields)} must be >= 1, but got {epochs}; raise one.")


def _check_names(name: str, artifact: Artifact) -> None:
    """UserError: a key other than its name, or a name or folder that could not be one of a folder."""
    fits = name == getattr(artifact, "name", None) and name.isidentifier() and artifact.folder.isidentifier()
    if not fits:
        raise UserError(
            "an artifact is declared under its own name, of letters, digits and underscores, as is its "
            f"folder, but got {name!r} for the artifact {getattr(artifact, 'name', None)!r} in the folder "
            f"{artifact.folder!r}; correct the method's file."
        )


def in_order(artifacts: Mapping[str, Artifact]) -> list[str]:
    """Their names, each after those that it rests on. UserError: a cycle, or a name that nothing declares."""
    done: dict[str, None] = {}
    for name, artifact in artifacts.items():
        _check_names(name, artifact)

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            cycle = " -> ".join((*path[path.index(name) :], name))
            raise UserError(
                f"an artifact cannot rest on itself, but these do: {cycle}; remove one of them from "
                "`rests_on` in the method's file."
            )
        if name not in artifacts:
            raise UserError(
                f"the artifact {path[-1]} rests on {name}, which the method does not declare; it declares "
                f"{', '.join(artifacts)}."
            )
        for needed in artifacts[name].rests_on:
            if name not in done:
                visit(needed, (*path, name))
        done[name] = None

    for name in artifacts:
        visit(name, ())
    return list(done)
