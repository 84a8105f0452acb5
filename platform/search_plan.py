"""What `tune` says and checks of its search: sampler, objectives, pruning, storage, trials to add."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from platform.config import Configuration, Plan, plan_with
from platform.errors import UserError
from platform.objectives import OBJECTIVES

if TYPE_CHECKING:
    from platform.results.experiment_plan import Experiment
    from platform.results.study import SearchDefinition


def check_sampler(plan: Plan, definition: SearchDefinition) -> None:
    """UserError where the sampler can do nothing with the space or with several objectives."""
    from platform.results.samplers import describe_sampler

    if plan.sampler == "cmaes" and len(plan.objectives) > 1:
        raise UserError(
            f"the sampler cmaes takes one objective, but got {','.join(plan.objectives)}; pass --sampler tpe "
            f"or gp."
        )
    describe_sampler(plan.sampler, definition.suggest)


def with_wanted_trials(experiment: Experiment, extend: int) -> Experiment:
    """The experiment with as many trials as its study is to have: see platform/results/extension.py.

    UserError: the study is not finished, or its storage cannot be reached. Changes nothing.
    """
    from platform.results.extension import wanted_trials
    from platform.results.study_storage import close_storage, find_study

    name = experiment.name + experiment.scopes[0].suffix
    study = find_study(experiment.storage_location, name)
    trials = wanted_trials(study, experiment.plan.trials, extend)
    if study is not None:
        close_storage(study._storage)
    plan = plan_with(experiment.plan, trials=trials)
    return dataclasses.replace(experiment, plan=plan, extend=extend)


def search_lines(plan: Plan, configuration: Configuration, steps: int) -> list[str]:
    """Lines for the plan on the screen: who proposes what, what for, and whether trials are stopped early."""
    from platform.results.pruning import why_unpruned
    from platform.results.samplers import describe_sampler
    from platform.results.study import definition_of_space

    definition = definition_of_space(plan.space, configuration, fixed=plan.fixed, enqueued=plan.enqueued)
    lines = [f"sampler {describe_sampler(plan.sampler, definition.suggest)}"]
    if plan.asynchronous:
        lines[0] += "; asynchronous: a search that is killed and goes on is not the same search"
    if len(plan.objectives) > 1:
        titles = ", ".join(OBJECTIVES[name].title for name in plan.objectives)
        lines.append(f"objectives: {titles}; the most accurate of the trials that no other beats is chosen")
    reason = why_unpruned(plan, steps)
    lines.append(f"pruning: off ({reason})" if reason else "pruning: on (Wilcoxon over subjects)")
    return lines


def front_lines(content: dict[str, Any]) -> list[str]:
    """The trials that no other beats, of each study with several objectives; the chosen one is marked."""
    from platform.results.experiment import studies_of

    lines = []
    for study in studies_of(content):
        names = study.get("objectives", [])
        if len(names) < 2:
            continue
        lines.append(f"Pareto front of {study['name']} (no trial beats these in everything):")
        trials = {trial["number"]: trial for trial in study["trials"]}
        for number in study["front"]:
            values = ", ".join(shown_value(name, trials[number]["values"][name]) for name in names)
            chosen = "  <- chosen: the most accurate" if number == study["winner"] else ""
            lines.append(f"  trial {number}: {values}{chosen}")
    return lines


def shown_value(name: str, value: float) -> str:
    """`accuracy 54.3%`, `latency 12.3 ms`, `parameters 799,048`."""
    if name == "latency":
        return f"latency {value:.1f} ms"
    if name == "parameters":
        return f"parameters {value:,.0f}"
    return f"{name.replace('_', ' ')} {value:.1%}"
