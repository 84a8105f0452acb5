"""Rows of leave-one-data-set-out: each fold tests all of one data set and trains on the others.

The hardest test of a method: other subjects, another camera, other labelling rules. Motion masks, stage 1 and
stage 2 use only the training sets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets.catalogue import describe
from datasets.prepared.store import open_prepared
from platform.config.configuration import Configuration, Plan
from platform.config.presets import with_method
from platform.errors import UserError
from platform.experiments.rows import PlannedRows, row_of
from platform.experiments.transfer import common_classes, uses_masks
from platform.runs.fold_tasks import plan_left_out_sets


@dataclass(frozen=True, kw_only=True)
class LeftOutSets:
    """The data sets that are left out in turn."""

    names: tuple[str, ...]
    common_classes: bool = False
    """Leave out faces of classes that not all sets have."""

    @property
    def name(self) -> str:
        """Part of the experiment's name."""
        return "-".join(["leave-one-out", *sorted(self.names), *(["common"] if self.common_classes else [])])


def plan_rows(
    wanted: LeftOutSets,
    configuration: Configuration,
    plan: Plan,
    data_root: Path,
    progress: Callable[[int, int], None] | None = None,
) -> PlannedRows:
    """A row for the method and each baseline. Writes the merged set unless it exists.

    UserError: fewer than two sets, a set that is not prepared, classes that not all sets have (unless only
    the common ones are wanted), a set without neutral faces if a method needs masks.
    """
    size = configuration.load_size_pixels
    classes_of = {name: open_prepared(data_root, name, size).class_names for name in wanted.names}
    classes = None
    if wanted.common_classes and len(wanted.names) > 1:
        classes = common_classes(wanted.names, configuration, data_root)
    elif len(set(classes_of.values())) > 1:
        everything = set().union(*classes_of.values())
        lacking = [
            f"{describe(name).title} lacks {', '.join(sorted(everything - set(its_classes)))}"
            for name, its_classes in classes_of.items()
            if everything - set(its_classes)
        ]
        raise UserError(
            f"sets that are left out in turn must have the same classes, but {'; '.join(lacking)}; pass "
            "--classes common, which leaves out classes that not all sets have."
        )
    methods = (configuration.method, *(name for name in plan.baselines if name != configuration.method))
    masked = [name for name in methods if uses_masks(with_method(configuration, name, plan))]
    without = [name for name in wanted.names if not _has_neutral_faces(data_root, name, size, classes)]
    if masked and without:
        raise UserError(
            f"{', '.join(masked)} makes motion masks from every training set's neutral faces, but "
            f"{', '.join(describe(name).title for name in without)} lacks some; leave that set out, or pass "
            "--method cnn --baselines '' (no masks)."
        )
    configurations = [with_method(configuration, method, plan) for method in methods]
    data = plan_left_out_sets(data_root, wanted.names, configurations, class_names=classes, progress=progress)
    rows = tuple(row_of(one, data, plan) for one in configurations)
    return PlannedRows(rows=rows, data=(data,))


def _has_neutral_faces(
    data_root: Path, name: str, size_pixels: int, class_names: Sequence[str] | None
) -> bool:
    """Whether every subject with a face of these classes (None: all) has a neutral one."""
    store = open_prepared(data_root, name, size_pixels)
    wanted = store.class_names if class_names is None else class_names
    shown = (store.roles == "expressive") & np.isin(store.expressions, wanted)
    neutral = store.subjects[store.roles == "neutral"]
    return set(store.subjects[shown].tolist()) <= set(neutral.tolist())
