"""Rows of an experiment: a method on a data set, its fold runs and the sources of its artifacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from platform.config.configuration import Configuration, Plan
from platform.config.net_name import net_name, only_width
from platform.config.settings_source import AS_GIVEN, SettingsSource
from platform.models import load_method
from platform.runs.fold_tasks import PlannedData, Substitutes, final_tasks, machine_of
from platform.runs.tasks import FoldTask

VARIOUS = "various"
"""Backbone of a row whose folds have different ones."""
OWN, NONE = "own", "none"
"""Source of an artifact that is made from a fold's own training subjects; of one that the method lacks."""
STORED_SOURCES = {"masks": "masks", "generator": "stage1"}
"""Key of a stored row to the artifact whose source it holds."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the table: a method on a data set, and its fold runs."""

    configurations: tuple[Configuration, ...]
    """Of each fold. They differ only under the rule `nested`, where every fold has its own study."""
    tasks: tuple[FoldTask, ...]
    kind: str
    sources: Mapping[str, str] = field(default_factory=dict)
    """Artifact name to what replaces those of each fold's own training subjects: another data set, a control,
    `none` and the like."""
    selection_score: float | None = None
    """The score that chose the configuration, in [0, 1]; None for a row whose configuration was given or
    chosen by another row's score."""
    repeat: int = 0
    """Number of the division of the subjects: 0 is the rule's own, others are further draws."""
    chosen_of: int = 0
    """Number of all folds if only some of them run; 0: all run."""
    variation: str = ""
    """Difference from the method as published, e.g. `without stage 1`."""
    settings: SettingsSource = AS_GIVEN
    """Whose settings it runs with."""
    groups: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    """Grouping to group to its subjects, where the data set knows them."""

    def describe(self, selection_rule: str) -> dict[str, Any]:
        """The row as experiment.json holds it."""
        name = self.configurations[0].method
        method = load_method(name)
        artifacts = method.artifacts(self.configurations[0])
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
            **{
                key: self.sources.get(artifact, OWN) if artifact in artifacts else NONE
                for key, artifact in STORED_SOURCES.items()
            },
            "repeat": self.repeat,
            "variation": self.variation,
            "classes": list(first.data.class_names),
            "seed": self.configurations[0].seed,
            "fold_rule": first.record["fold"]["rule"],
            "fold_count": len(self.tasks),
            "runs": [{"fold": task.fold_index, "identity": task.identity} for task in self.tasks],
            **self.settings.to_dict(),
            **({"unit": method.unit} if method.unit != "image" else {}),
            **({} if method.probabilities else {"probabilities": False}),
            **({"groups": self.groups} if self.groups else {}),
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


def row_of(
    configurations: Configuration | Sequence[Configuration],
    data: PlannedData,
    plan: Plan,
    *,
    kind: str = "crossval",
    substitutes: Substitutes | Sequence[Substitutes] | None = None,
    selection_score: float | None = None,
    repeat: int = 0,
    variation: str = "",
) -> Row:
    """A row on one data set; its artifacts come from the training subjects of each fold.

    configurations: one for all folds, or one for each. substitutes: what replaces the folds' own artifacts,
    for all folds or for each. Only the folds of `plan.folds_only` run, if it names any.
    """
    count = len(data.folds.folds)
    every = (configurations,) * count if isinstance(configurations, Configuration) else tuple(configurations)
    tasks = final_tasks(every, data, machine_of(plan), substitutes=substitutes)
    only = plan.folds_only
    first = substitutes[0] if isinstance(substitutes, Sequence) else substitutes or {}
    return Row(
        configurations=every,
        tasks=tuple(task for task in tasks if not only or task.fold_index in only),
        kind=kind,
        sources={name: substitute.shown for name, substitute in first.items()},
        selection_score=selection_score,
        repeat=repeat,
        chosen_of=count if only else 0,
        variation=variation,
        groups=data.groups,
    )


def all_tasks(rows: Sequence[Row]) -> list[FoldTask]:
    """The fold runs of all rows."""
    return [task for row in rows for task in row.tasks]
