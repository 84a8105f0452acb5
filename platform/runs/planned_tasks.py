"""Planning of fold runs and their artifacts: from a configuration, a prepared set and subjects to tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from datasets.catalogue import describe
from datasets.folds.rules import Fold, subjects_hash
from platform.config.configuration import Configuration, to_dict
from platform.errors import LeakageError, UserError
from platform.models import load_method
from platform.models.artifact import Artifact, Brought, Reach, check_declared, in_order
from platform.models.method import Method, Settings
from platform.models.networks.weights import by_content
from platform.models.options.fields import later_fields
from platform.models.shared_stage import SharedStage
from platform.runs.artifact_records import with_artifacts
from platform.runs.identity import RESULT_VERSION, identity
from platform.runs.reach import check_reach
from platform.runs.tasks import CHECKPOINT_EVERY_EPOCHS, ArtifactTask, DataReference, FoldTask


@dataclass(frozen=True, kw_only=True)
class Substitute:
    """What a fold run uses in place of an artifact of its own training subjects.

    Another task's result (of another data set, or released by others), a control of it, or nothing.
    """

    shown: str
    """In the row of a table."""
    source: ArtifactTask | None = None
    control: str = ""
    """Name of the control that replaces `source`, or the fold run's own artifact without one."""

    @property
    def is_nothing(self) -> bool:
        """Whether the fold run does without."""
        return self.source is None and not self.control


NOTHING = Substitute(shown="none")


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


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a task is planned from, beside its data and subjects."""

    configuration: Configuration
    machine: Machine
    images_of_subject: Mapping[str, int]
    """Expressive images of every training subject."""
    sequences_of_subject: Mapping[str, int] = field(default_factory=dict)
    """Sequences of every training subject that has any, for what trains on them."""

    def count(self, unit: str, subjects: Iterable[str]) -> int:
        """Images or sequences of these subjects."""
        counts = self.sequences_of_subject if unit == "sequence" else self.images_of_subject
        return sum(counts.get(subject, 0) for subject in subjects)

    @property
    def method(self) -> Method:
        """The configuration's method."""
        return load_method(self.configuration.method)

    def options(self, artifact: Artifact) -> dict[str, Any]:
        """Names and values of the options that reach the artifact."""
        names = artifact.option_names(type(self.configuration))
        return {name: getattr(self.configuration, name) for name in sorted(names)}

    def reach(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What of it reaches an artifact, as fields of `Reach`; options: those that reach it."""
        later = later_fields(type(self.configuration))
        return {
            "method": {"method": self.configuration.method},
            "code": self.method.record(),
            "config": Settings(options, options, later).to_dict(),
            "training": {"result_version": RESULT_VERSION, **self.machine.to_dict()},
        }


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
    sequences_of_subject: Mapping[str, int] | None = None,
    substitutes: Mapping[str, Substitute] | None = None,
    options: Mapping[str, Any] | None = None,
) -> FoldTask:
    """The fold run of a configuration.

    validation_subjects: validation split number `part` of the fold; the run trains on the fold's other
    training subjects and scores these. None: the final run, which trains on all training subjects of the
    fold and scores its test subjects.
    images_of_subject: expressive images of every training subject; sequences_of_subject: their sequences.
    substitutes: artifact name to what replaces it.
    options: `recorded_options` of the configuration, if the caller plans many fold runs of it.
    UserError: a substitute that the options bring along, or one that lacks a class. LeakageError or
    UserError: as `check_reach`.
    """
    final = validation_subjects is None
    sides = _sides(fold, None if validation_subjects is None else tuple(validation_subjects))
    train, evaluation = sides.train, sides.evaluation
    method = load_method(configuration.method)
    options = recorded_options(configuration) if options is None else options
    origin = Origin(
        configuration=configuration,
        machine=machine,
        images_of_subject=images_of_subject,
        sequences_of_subject=sequences_of_subject or {},
    )
    artifacts = planned_artifacts(origin, data, train, substitutes or {})
    record = {
        "kind": "fold_run",
        "result_version": RESULT_VERSION,
        "method": configuration.method,
        **method.record(),
        "config": dict(options),
        "data": _data(data, method.needs),
        "fold": {
            "rule": fold_rule,
            "index": fold.index,
            "role": "final" if final else "inner",
            "part": part,
            "train_subjects": sides.train_hash,
            "evaluation_subjects": sides.evaluation_hash,
        },
        "seed": configuration.seed,
        **machine.to_dict(),
    }
    record = with_artifacts(record, {name: task.identity for name, task in artifacts.items()})
    task = FoldTask(
        # The same weights in another place are the same run.
        identity=identity({**record, "config": by_content(record["config"])}),
        record=record,
        data=data,
        artifacts=artifacts,
        train_subjects=train,
        training_images=origin.count(method.unit, train),
        evaluation_subjects=evaluation,
        checkpoint_every_epochs=machine.checkpoint_every_epochs,
        plugin=method.plugin,
    )
    check_reach(task)
    return task


def recorded_options(configuration: Configuration) -> dict[str, Any]:
    """The options of a configuration that its fold runs depend on, as their records hold them."""
    return load_method(configuration.method).settings(to_dict(configuration)).to_dict()


@dataclass(frozen=True, kw_only=True)
class _Sides:
    """Subjects of a fold run, and the hashes of both lists."""

    train: tuple[str, ...]
    evaluation: tuple[str, ...]
    train_hash: str
    evaluation_hash: str


@lru_cache(maxsize=128)
def _sides(fold: Fold, validation_subjects: tuple[str, ...] | None) -> _Sides:
    """As `fold_task`. Kept for the folds of a search, whose trials all have the same subjects.

    LeakageError: a subject validates that is not of the fold's training subjects.
    """
    evaluation, train = fold.test_subjects, fold.train_subjects
    if validation_subjects is not None:
        outside = sorted(set(validation_subjects) - set(fold.train_subjects))
        if outside:
            raise LeakageError(f"subjects {', '.join(outside)} validate, but are not of fold {fold.index}")
        evaluation = tuple(sorted(validation_subjects))
        train = tuple(sorted(set(fold.train_subjects) - set(evaluation)))
    return _Sides(
        train=train,
        evaluation=evaluation,
        train_hash=subjects_hash(train),
        evaluation_hash=subjects_hash(evaluation),
    )


def declared_artifacts(configuration: Configuration) -> Mapping[str, Artifact]:
    """The artifacts of the configuration's method. UserError as `check_declared`."""
    declared = load_method(configuration.method).artifacts(configuration)
    check_declared(declared, configuration)
    return declared


def planned_artifacts(
    origin: Origin,
    data: DataReference,
    train: Sequence[str],
    substitutes: Mapping[str, Substitute],
) -> dict[str, ArtifactTask]:
    """The artifacts of the configuration's method, made from these training subjects or substituted."""
    configuration = origin.configuration
    declared = declared_artifacts(configuration)
    planned: dict[str, ArtifactTask] = {}
    for name in in_order(declared):
        artifact, substitute = declared[name], substitutes.get(name)
        if _is_brought(artifact, configuration, substitute):
            continue
        if substitute is not None and substitute.is_nothing:
            continue
        if substitute is not None and substitute.source is not None:
            made = substitute.source
        else:
            needed = {one: planned[one] for one in _present(artifact, planned)}
            made = artifact_task(artifact, data, train, origin, rests_on=needed)
        if substitute is not None and substitute.control:
            control = made.artifact.control(substitute.control, made.identity)
            needed = {name: made} if control.rests_on else {}
            made = artifact_task(control, made.data, made.train_subjects, origin, rests_on=needed)
        _check_classes(made, data)
        planned[name] = made
    return planned


def _is_brought(artifact: Artifact, configuration: Configuration, substitute: Substitute | None) -> bool:
    """Whether the options bring the content along. UserError: it is substituted as well."""
    brought = artifact.brought_by(configuration)
    if brought is not None and substitute is not None and substitute.source is not None:
        raise already_brought(brought)
    return brought is not None


def already_brought(brought: Brought) -> UserError:
    """The error for a substitute of what the options bring along."""
    return UserError(
        f"{brought.what}, but this row takes one from another data set; {brought.remedy}, or other --weights."
    )


def _present(artifact: Artifact, planned: Mapping[str, ArtifactTask]) -> tuple[str, ...]:
    """What the artifact rests on. UserError: the run leaves one of them out."""
    for name in artifact.rests_on:
        if name not in planned:
            raise UserError(
                f"{artifact.title} rests on the artifact {name}, which this run leaves out; leave out "
                f"{artifact.name} too, or substitute it."
            )
    return artifact.rests_on


def _check_classes(made: ArtifactTask, data: DataReference) -> None:
    """UserError: the artifact is made by class, and lacks one of the data's."""
    lacking = sorted(set(data.class_names) - set(made.data.class_names)) if made.artifact.by_class else []
    if lacking:
        raise UserError(
            f"{describe(made.data.dataset).title} has no {made.artifact.title} for {', '.join(lacking)}, "
            f"which {describe(data.dataset).title} needs; pass --classes common (python -m "
            "platform.transfer), which leaves out classes that not all sets have, or choose another source."
        )
    trained = isinstance(made.artifact, SharedStage) and made.artifact.by_class
    if trained and made.data.class_names != data.class_names:
        raise UserError(
            f"the {made.artifact.title} of {describe(made.data.dataset).title} was trained to tell "
            f"{', '.join(made.data.class_names)} apart, but {describe(data.dataset).title} has "
            f"{', '.join(data.class_names)}; choose another source."
        )


def artifact_task(
    artifact: Artifact,
    data: DataReference,
    train: Sequence[str],
    origin: Origin | None = None,
    *,
    rests_on: Mapping[str, ArtifactTask] | None = None,
) -> ArtifactTask:
    """The artifact made from these training subjects and from the artifacts `rests_on`.

    origin: None for one that no configuration reaches.
    """
    needed = rests_on or {}
    options = {} if origin is None else origin.options(artifact)
    record = artifact.record(
        Reach(
            data=_data(data, artifact.needs),
            train_subjects=subjects_hash(train),
            rests_on={name: task.identity for name, task in needed.items()},
            **({} if origin is None else origin.reach(options)),
        )
    )
    return ArtifactTask(
        identity=identity(record),
        record=record,
        artifact=artifact,
        method="" if origin is None else origin.configuration.method,
        options=options,
        data=data,
        rests_on=needed,
        train_subjects=tuple(train),
        training_images=0 if origin is None else origin.count(artifact.unit, train),
        checkpoint_every_epochs=CHECKPOINT_EVERY_EPOCHS
        if origin is None
        else origin.machine.checkpoint_every_epochs,
        plugin=None if origin is None else origin.method.plugin,
    )


def layers_needed(configuration: Configuration) -> frozenset[str]:
    """Layers that fold runs of the configuration read, or what they rest on."""
    method = load_method(configuration.method)
    return method.needs.union(*(one.needs for one in declared_artifacts(configuration).values()))


def _data(data: DataReference, needs: Iterable[str]) -> dict[str, Any]:
    layers = {name: data.layers[name] for name in sorted(needs)}
    return {
        "dataset": data.dataset,
        "hash": data.hash,
        "classes": list(data.class_names),
        **({"layers": layers} if layers else {}),
    }
