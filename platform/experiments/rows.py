"""The rows of an experiment's table to come, what a search found, and what rows are compared for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from platform.config.configuration import Configuration
from platform.config.net_name import net_name, only_width
from platform.models import load_method
from platform.runs.tasks import FoldTask

VARIOUS = "various"
"""Backbone of a row whose folds have different ones."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the table to come: a method on a data set, and its fold runs."""

    configurations: tuple[Configuration, ...]
    """Of each fold; they differ only where each fold has a study of its own."""
    tasks: tuple[FoldTask, ...]
    kind: str
    masks: str
    selection_score: float | None = None
    """The score that chose the configuration, in [0, 1]: None where nothing or another row's did."""
    generator: str = "own"
    """Who pretrained the mask generator: `own`: the fold's training subjects; `none`; or a data set."""
    repeat: int = 0
    """Which draw of a single split this is."""
    chosen_of: int = 0
    """Folds in all, where only some of them run; 0: all run."""
    variation: str = ""
    """What sets it apart from the method as published, e.g. `without stage 1`."""

    def describe(self, selection_rule: str) -> dict[str, Any]:
        """As experiment.json holds it."""
        name = self.configurations[0].method
        method = load_method(name)
        first = self.tasks[0]
        backbones = {configuration.backbone for configuration in self.configurations}
        return {
            "method": name,
            "title": method.title + (f", {self.variation}" if self.variation else ""),
            "dataset": first.data.dataset,
            "backbone": backbones.pop() if len(backbones) == 1 else VARIOUS,
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
            **({"stands_for": first.data.stands_for} if first.data.stands_for else {}),
            **({"chosen_folds": [task.fold_index for task in self.tasks]} if self.chosen_of else {}),
            **({"chosen_of": self.chosen_of} if self.chosen_of else {}),
        }

    @property
    def net(self) -> str:
        """The classification net, with its width where it is not the published one."""
        backbones = {configuration.backbone for configuration in self.configurations}
        width = only_width(configuration.backbone_width for configuration in self.configurations)
        return net_name(backbones.pop() if len(backbones) == 1 else VARIOUS, width)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search found."""

    studies: Sequence[dict[str, Any]]
    """One, or one for each outer fold, as experiment.json holds them."""
    chosen: Sequence[Configuration]
    """Of each outer fold."""
    score: float
    """That chose them: mean over studies, in [0, 1]."""
    economy: dict[str, Any]
    """`Economy.to_dict()`."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a part of the method brings: one row against another on the same images."""

    name: str
    with_it: int
    """Place of the row that has it."""
    without: int
    """Place of the row that has not."""
