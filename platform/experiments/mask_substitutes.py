"""Substitutes for FMPN's motion masks and stage 1: controls, released masks, another data set's."""

from __future__ import annotations

from platform.config.configuration import Configuration, Plan
from platform.config.mask_source import mask_source
from platform.models import load_method
from platform.runs.fold_tasks import PlannedData, Substitutes, machine_of, source_substitute
from platform.runs.mask_sets import released_masks
from platform.runs.planned_tasks import NOTHING, Substitute

WITHOUT_STAGE_1: Substitutes = {"stage1": NOTHING}


def control_of_masks(control: str) -> Substitutes:
    """A control in place of each fold's masks."""
    return {"masks": Substitute(shown=control, control=control)}


def masks_of_setting(setting: str, data: PlannedData) -> list[Substitutes]:
    """Of each fold: what the setting `masks` of a plan names (platform/config/mask_source.py).

    UserError: released masks of other folds, or without a class.
    """
    source = mask_source(setting)
    count = len(data.folds.folds)
    control = source.control or ""
    if source.released_folder is None:
        return [control_of_masks(control) if control else {}] * count
    return [
        {"masks": Substitute(shown=source.name, source=task, control=control)}
        for task in released_masks(data, source.released_folder)
    ]


def transferred(
    configuration: Configuration,
    plan: Plan,
    *,
    masks_from: PlannedData | None = None,
    generator_from: PlannedData | None = None,
    pretrain: bool = False,
) -> Substitutes:
    """Motion masks, a mask generator or both, made from all subjects of a source data set.

    masks_from: source of the masks, matched by class name (docs/methods.md, §1); None: each fold's own.
    generator_from: source whose subjects pretrain the generator; None: `pretrain` says whether stage 1 runs
    on the target's training subjects, which the paper leaves out.
    """
    machine = machine_of(plan)
    made: dict[str, Substitute] = {}
    declared = load_method(configuration.method).artifacts(configuration)
    if masks_from is not None and "masks" in declared:
        made["masks"] = source_substitute("masks", masks_from, configuration, machine)
    if generator_from is not None and "stage1" in declared:
        made["stage1"] = source_substitute("stage1", generator_from, configuration, machine)
    elif not pretrain:
        made["stage1"] = NOTHING
    return made
