"""Rows of an experiment: a method on a data set, its fold runs and the source of its masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform.config.configuration import Configuration, Plan
from platform.config.mask_source import MaskSource
from platform.config.net_name import net_name, only_width
from platform.config.settings_source import AS_GIVEN, SettingsSource
from platform.models import load_method
from platform.runs.fold_tasks import (
    PlannedData,
    final_tasks,
    machine_of,
    source_generator,
    source_masks,
)
from platform.runs.tasks import FoldTask, MaskTask

VARIOUS = "various"
"""Backbone of a row whose folds have different ones."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the table: a method on a data set, and its fold runs."""

    configurations: tuple[Configuration, ...]
    """Of each fold. They differ only under the rule `nested`, where every fold has its own study."""
    tasks: tuple[FoldTask, ...]
    kind: str
    masks: str
    """`own`, a control, `released`, or the source data set."""
    selection_score: float | None = None
    """The score that chose the configuration, in [0, 1]; None for a row whose configuration was given or
    chosen by another row's score."""
    generator: str = "own"
    """Data of stage 1: `own`: the fold's training subjects; a source data set; `none`: no stage 1."""
    repeat: int = 0
    """Number of the draw of a single split."""
    chosen_of: int = 0
    """Number of all folds if only some of them run; 0: all run."""
    variation: str = ""
    """Difference from the method as published, e.g. `without stage 1`."""
    settings: SettingsSource = AS_GIVEN
    """Whose settings it runs with."""

    def describe(self, selection_rule: str) -> dict[str, Any]:
        """The row as experiment.json holds it."""
        name = self.configurations[0].method
        method = load_method(name)
        first = self.tasks[0]
        nets = {method.net(configuration) for configuration in self.configurations}
        return {
            "method": name,
            "title": method.title + (f", {self.variation}" if self.variation else ""),
            "dataset": first.data.dataset,
            "backbone": nets.pop() if len(nets) == 1 else VARIOUS,
            "selection_rule": selection_rule,
            "selection_score": self.selection_score,
            "kind": self.kind,
            "masks": self.masks if method.uses_masks else "none",
            "generator": self.generator if method.pretrains_generator else "none",
            "repeat": self.repeat,
            "variation": self.variation,
            "classes": list(first.data.class_names),
            "seed": self.configurations[0].seed,
            "fold_rule": first.record["fold"]["rule"],
            "fold_count": len(self.tasks),
            "runs": [{"fold": task.fold_index, "identity": task.identity} for task in self.tasks],
            **self.settings.to_dict(),
            **({"stands_for": first.data.stands_for} if first.data.stands_for else {}),
            **({"chosen_folds": [task.fold_index for task in self.tasks]} if self.chosen_of else {}),
            **({"chosen_of": self.chosen_of} if self.chosen_of else {}),
        }

    @property
    def net(self) -> str:
        """The classification net, with its width if that is not the published one."""
        method = load_method(self.configurations[0].method)
        nets = {method.net(configuration) for configuration in self.configurations}
        width = only_width(
            getattr(configuration, "backbone_width", 1.0) for configuration in self.configurations
        )
        return net_name(nets.pop() if len(nets) == 1 else VARIOUS, width)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The settings of one method's rows: those that a search chose, or given ones."""

    configurations: tuple[Configuration, ...]
    """Of each outer fold."""
    source: SettingsSource
    """Whose settings they are."""
    score: float | None = None
    """The score by which its own search chose them: mean over studies, in [0, 1]; None before it has run."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """Result of the searches of an experiment."""

    studies: Sequence[dict[str, Any]]
    """Of each search one study, or one for each outer fold, as experiment.json holds them."""
    chosen: Mapping[str, Chosen]
    """Searched method to its choice, the experiment's own method first."""
    economy: dict[str, Any]
    """`Economy.to_dict()`, over all studies."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One ablation: a row with a component of the method against a row without it, on the same images."""

    name: str
    with_it: int
    """Position of the row with the component."""
    without: int
    """Position of the row without it."""


@dataclass(frozen=True, kw_only=True)
class PlannedRows:
    """Rows that are known in advance."""

    rows: tuple[Row, ...]
    data: tuple[PlannedData, ...]
    """All data and splits that the rows read, the main data set first."""
    effects: tuple[Effect, ...] = ()
    remarks: tuple[str, ...] = ()
    """Sentences on requested rows that cannot be planned."""


RowsPlanner = Callable[[Configuration, Plan, Path], PlannedRows]
"""Plans rows from configuration, plan and the folder of prepared sets. Raises UserError; writes no result."""


def own_row(
    configurations: Configuration | Sequence[Configuration],
    data: PlannedData,
    plan: Plan,
    *,
    source: MaskSource | None = None,
    released: Sequence[MaskTask] | None = None,
    pretrain: bool = True,
    selection_score: float | None = None,
    repeat: int = 0,
    variation: str = "",
) -> Row:
    """A row on one data set: masks and stage 1 come from the training subjects of each fold.

    configurations: one for all folds, or one for each. source: a control, or released masks, instead of the
    folds' own; `released` then holds the released masks of each fold. pretrain: False leaves out stage 1.
    Only the folds of `plan.folds_only` run, if it names any.
    """
    source = source or MaskSource()
    count = len(data.folds.folds)
    every = (configurations,) * count if isinstance(configurations, Configuration) else tuple(configurations)
    tasks = final_tasks(
        every, data, machine_of(plan), masks=released, mask_control=source.control, pretrain=pretrain
    )
    only = plan.folds_only
    return Row(
        configurations=every,
        tasks=tuple(task for task in tasks if not only or task.fold_index in only),
        kind="crossval",
        masks=source.name,
        selection_score=selection_score,
        generator="own" if pretrain else "none",
        repeat=repeat,
        chosen_of=count if only else 0,
        variation=variation,
    )


def transferred_row(
    configuration: Configuration,
    target: PlannedData,
    plan: Plan,
    *,
    masks_from: PlannedData | None = None,
    generator_from: PlannedData | None = None,
    pretrain: bool = False,
    repeat: int = 0,
) -> Row:
    """A row on `target` whose motion masks, mask generator or both come from a source data set.

    masks_from: source of the masks, built from all its subjects and matched by class name; None: each fold's
    own. generator_from: source whose subjects pretrain the generator; None: `pretrain` says whether stage 1
    runs on the target's training subjects, which the paper leaves out. UserError: the source lacks a class.
    """
    machine = machine_of(plan)
    tasks = final_tasks(
        configuration,
        target,
        machine,
        masks=source_masks(masks_from, target) if masks_from else None,
        pretrain=pretrain,
        generator=source_generator(generator_from, configuration, machine) if generator_from else None,
    )
    without_source = "own" if pretrain else "none"
    return Row(
        configurations=(configuration,) * len(tasks),
        tasks=tuple(tasks),
        kind="transfer",
        masks=masks_from.data.dataset if masks_from else "own",
        generator=generator_from.data.dataset if generator_from else without_source,
        repeat=repeat,
    )


def all_tasks(rows: Sequence[Row]) -> list[FoldTask]:
    """The fold runs of all rows."""
    return [task for row in rows for task in row.tasks]
