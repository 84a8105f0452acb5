"""Definition of an experiment's studies: the settings under which their trials are comparable."""

from __future__ import annotations

from typing import Any

from platform.config.configuration import Configuration, Plan, to_dict
from platform.config.selection import WHOSE_TURN
from platform.experiments.experiment import Experiment
from platform.experiments.method_search import MethodSearch
from platform.runs.fold_tasks import PlannedData, machine_of
from platform.search.definition import SearchDefinition, definition_of_space


def search_settings(base: Configuration, plan: Plan, planned: PlannedData) -> dict[str, Any]:
    """Settings of a study: if one of them changes, its trials are no longer comparable."""
    keys = (
        "fold_rule",
        "folds",
        "selection_rule",
        "rounds",
        "pruning",
        "study_seed",
        "trials_in_flight",
        "asynchronous",
        "sampler",
        "objectives",
        "space",
        "fixed",
        "enqueued",
        "train_workers",
    )
    settings = to_dict(plan)
    return {
        **{name: settings[name] for name in keys},
        **{f"base.{name}": value for name, value in to_dict(base).items()},
        **({"inner_parts": WHOSE_TURN} if plan.selection_rule == "inner" else {}),
        "data": planned.data.hash,
        "folds_hash": planned.folds.hash,
        "machine": machine_of(plan).to_dict(),
    }


def search_definition(experiment: Experiment, search: MethodSearch | None = None) -> SearchDefinition:
    """The definition of a search (None: that of the method). UserError as `definition_of_space`."""
    search = search or experiment.searches[0]
    base, plan = search.base, search.plan
    return definition_of_space(
        plan.space,
        base,
        name=experiment.name,
        settings=search_settings(base, plan, experiment.planned),
        fixed=plan.fixed,
        enqueued=plan.enqueued,
    )
