"""Fold runs of a prepared data set: from its folds and a configuration to tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from datasets.folds.rules import (
    LEFT_OUT_SETS,
    FoldPlan,
    check_training_classes,
    count_classes,
    inner_parts,
    leave_one_group_out,
)
from datasets.prepared.merged import merged_store
from datasets.prepared.merged_names import set_of_subject
from datasets.prepared.store import PreparedStore, open_prepared
from datasets.prepared.subject_groups import groups_of
from datasets.raw.fmpn_labels import release_of
from platform.config.configuration import Configuration, Plan, configuration_of
from platform.config.selection import INNER_PARTS, Step
from platform.models import load_method
from platform.runs.fold_plans import made_folds
from platform.runs.planned_tasks import (
    Machine,
    Origin,
    Substitute,
    already_brought,
    fold_task,
    layers_needed,
    planned_artifacts,
    recorded_options,
)
from platform.runs.tasks import DataReference, FoldTask

Substitutes = Mapping[str, Substitute]
"""Artifact name to what replaces it."""


@dataclass(frozen=True, kw_only=True)
class PlannedData:
    """A prepared data set and its folds."""

    data: DataReference
    folds: FoldPlan
    inner: tuple[tuple[tuple[str, ...], ...], ...]
    """Of each fold: its training subjects in five validation splits. Empty unless a search is planned."""
    images_of_subject: dict[str, int]
    """Expressive images of each subject, counting the wanted classes only."""
    classes_of_subject: dict[str, frozenset[str]]
    """The wanted classes that each subject shows."""
    neutral_faces: dict[str, int]
    """Neutral faces of each subject that has any; a subject's motion needs exactly one."""
    size_pixels: int
    """Side of the prepared faces."""
    is_prepared: bool = True
    """False in a dry run for a set that the real run draws, prepares or merges first."""

    sequences_of_subject: Mapping[str, int] = field(default_factory=dict)
    """Sequences of each subject that has any, of the wanted classes; empty unless a method needs them."""
    has_rectangles: bool = False
    """Whether it was prepared with `--resample released`."""
    groups: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    """Grouping to group to its subjects, where the data set knows them; no fold run reads them."""

    @property
    def has_neutral_faces(self) -> bool:
        """Whether every subject has one, so that the set can show its own motion."""
        return all(self.neutral_faces.get(subject) == 1 for subject in self.images_of_subject)

    def image_count(self, subjects: Sequence[str]) -> int:
        """Expressive images of these subjects."""
        return sum(self.images_of_subject[subject] for subject in subjects)


def plan_data(
    data_root: Path,
    dataset: str,
    configuration: Configuration,
    plan: Plan,
    *,
    fold_rule: str | None = None,
    search: bool = False,
    class_names: Sequence[str] | None = None,
    repeat: int = 0,
) -> PlannedData:
    """Open the prepared data set and make its folds, and validation splits if a search is planned.

    class_names: the classes to use; None: all. repeat: number of the division of the subjects
    (`made_folds`).

    UserError: the set is not prepared (with the command that prepares it), has fewer subjects than folds, or
    a class is absent from a fold's training subjects; it lacks a layer that a method or one of its artifacts
    reads (with the command that adds it).
    """
    store = open_prepared(data_root, dataset, configuration.load_size_pixels)
    wanted, classes = _wanted(store, class_names)
    folds = made_folds(plan, store, classes, rule=fold_rule, repeat=repeat)
    check_training_classes(folds, classes)
    inner: tuple[tuple[tuple[str, ...], ...], ...] = ()
    if search:
        inner = tuple(
            inner_parts(fold.train_subjects, classes, seed=plan.study_seed, part_count=INNER_PARTS)
            for fold in folds.folds
        )
    planned = (configuration, *(configuration_of(name) for name in plan.baselines))
    return _planned(store, wanted, classes, folds, inner, planned)


def plan_left_out_sets(
    data_root: Path,
    names: Sequence[str],
    configurations: Sequence[Configuration],
    *,
    class_names: Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PlannedData:
    """Several prepared sets as one, and a fold for each, which tests all of it and trains on the others.

    configurations: of every method that is planned. Writes the merged store where it is not there. UserError
    as `merged_store`, for a class that only one set has, and for a layer as in `plan_data`.
    """
    store = merged_store(data_root, names, configurations[0].load_size_pixels, progress=progress)
    wanted, classes = _wanted(store, class_names)
    folds = leave_one_group_out({subject: set_of_subject(subject) for subject in classes}, LEFT_OUT_SETS)
    check_training_classes(folds, classes)
    return _planned(store, wanted, classes, folds, (), configurations)


def _wanted(
    store: PreparedStore, class_names: Sequence[str] | None
) -> tuple[tuple[str, ...], dict[str, Counter[str]]]:
    """The classes asked for that the store has, and how many images of each a subject has."""
    wanted = tuple(name for name in store.class_names if class_names is None or name in class_names)
    return wanted, _classes_of_subject(store, wanted)


def _planned(
    store: PreparedStore,
    wanted: tuple[str, ...],
    classes: dict[str, Counter[str]],
    folds: FoldPlan,
    inner: tuple[tuple[tuple[str, ...], ...], ...],
    configurations: Sequence[Configuration],
) -> PlannedData:
    needed = frozenset().union(*(layers_needed(one) for one in configurations))
    return PlannedData(
        data=DataReference(
            folder=str(store.folder.absolute()),
            dataset=store.dataset,
            hash=store.hash,
            class_names=wanted,
            layers=store.layer_hashes(needed),
            stands_for=release_of(store.class_names) if store.dataset == "fmpn_release" else "",
        ),
        folds=folds,
        inner=inner,
        images_of_subject={subject: sum(counts.values()) for subject, counts in classes.items()},
        classes_of_subject={subject: frozenset(counts) for subject, counts in classes.items()},
        sequences_of_subject=_sequences_of_subject(store, wanted) if "sequences" in needed else {},
        has_rectangles=store.rectangles is not None,
        groups=groups_of(store),
        neutral_faces=dict(Counter(store.subjects[store.roles == "neutral"].tolist())),
        size_pixels=store.size_pixels,
        is_prepared=store.is_prepared,
    )


def _sequences_of_subject(store: PreparedStore, class_names: Sequence[str]) -> dict[str, int]:
    layer = store.layer("sequences")
    return dict(Counter(layer.subjects[np.isin(layer.expressions, class_names)].tolist()))


def _classes_of_subject(store: PreparedStore, class_names: Sequence[str]) -> dict[str, Counter[str]]:
    expressive = (store.roles == "expressive") & np.isin(store.expressions, class_names)
    return count_classes(store.subjects[expressive], store.expressions[expressive])


def machine_of(plan: Plan) -> Machine:
    """Where the plan's fold runs compute."""
    return Machine(
        device="cuda" if plan.gpus_per_run else "cpu",
        cpu_threads=plan.cpus_per_run,
        train_workers=plan.train_workers,
        checkpoint_every_epochs=plan.checkpoint_every_epochs,
    )


def step_tasks(
    configuration: Configuration, planned: PlannedData, machine: Machine, steps: Sequence[Step]
) -> list[FoldTask]:
    """The fold runs that score one configuration in a study, in the order of `steps`."""
    options = recorded_options(configuration)
    return [
        fold_task(
            configuration,
            planned.data,
            planned.folds.folds[fold],
            fold_rule=planned.folds.rule,
            part=part,
            validation_subjects=None if part is None else planned.inner[fold][part],
            machine=machine,
            images_of_subject=planned.images_of_subject,
            sequences_of_subject=planned.sequences_of_subject,
            options=options,
        )
        for fold, part in steps
    ]


def final_tasks(
    configurations: Configuration | Sequence[Configuration],
    planned: PlannedData,
    machine: Machine,
    *,
    substitutes: Substitutes | Sequence[Substitutes] | None = None,
) -> list[FoldTask]:
    """The final runs: every outer fold, scored once on its test subjects.

    One configuration for all folds, or one for each. substitutes: what replaces the folds' own artifacts, for
    all folds or for each (`fold_task`).
    """
    count = len(planned.folds.folds)
    chosen = [configurations] * count if isinstance(configurations, Configuration) else configurations
    of_fold = substitutes if isinstance(substitutes, Sequence) else [substitutes or {}] * count
    return [
        fold_task(
            configuration,
            planned.data,
            fold,
            fold_rule=planned.folds.rule,
            part=None,
            validation_subjects=None,
            machine=machine,
            images_of_subject=planned.images_of_subject,
            sequences_of_subject=planned.sequences_of_subject,
            substitutes=its_substitutes,
        )
        for configuration, fold, its_substitutes in zip(chosen, planned.folds.folds, of_fold, strict=True)
    ]


def source_substitute(
    name: str, source: PlannedData, configuration: Configuration, machine: Machine
) -> Substitute:
    """The artifact `name` of the configuration's method, made from all of a source's subjects.

    UserError: the options bring it along.
    """
    brought = load_method(configuration.method).artifacts(configuration)[name].brought_by(configuration)
    if brought is not None:
        raise already_brought(brought)
    origin = Origin(
        configuration=configuration,
        machine=machine,
        images_of_subject=source.images_of_subject,
        sequences_of_subject=source.sequences_of_subject,
    )
    made = planned_artifacts(origin, source.data, sorted(source.images_of_subject), {})
    return Substitute(shown=source.data.dataset, source=made[name])
