"""Checks and screen lines of a search: sampler, objectives, pruning, storage, added trials."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from platform.config.configuration import Configuration, Plan, plan_with
from platform.config.objectives import OBJECTIVES
from platform.errors import UserError

if TYPE_CHECKING:
    import optuna

    from platform.experiments.experiment import Experiment
    from platform.experiments.method_search import MethodSearch
    from platform.search.definition import SearchDefinition


def check_sampler(plan: Plan, definition: SearchDefinition) -> None:
    """UserError: the sampler does not support the space, or several objectives."""
    from platform.search.samplers import describe_sampler

    if plan.sampler == "cmaes" and len(plan.objectives) > 1:
        raise UserError(
            f"the sampler cmaes takes one objective, but got {','.join(plan.objectives)}; pass --sampler tpe "
            f"or gp."
        )
    describe_sampler(plan.sampler, definition.suggest)


def check_enqueued_fit(plan: Plan, definition: SearchDefinition) -> None:
    """UserError: too few trials for all initial and enqueued configurations."""
    if plan.enqueued and plan.trials < len(definition.first):
        raise UserError(
            f"the space's initial configurations and all enqueued ones need {len(definition.first)} trials, "
            f"but --trials is {plan.trials}; raise it, or shorten the file."
        )


def with_wanted_trials(experiment: Experiment, extend: int | None) -> Experiment:
    """The experiment with the number of trials that its study should have (platform/search/extension.py).

    UserError: no trial can be added, the study is unfinished or was made with other settings, or its
    storage cannot be reached. Changes nothing.
    """
    from platform.search.extension import refuse_fewer, wanted_of_baselines, wanted_trials

    if extend is not None and extend < 1:
        raise UserError(f"--extend takes a number of trials to add, 1 or more, but got {extend}.")
    first, *baselines = experiment.searches
    with _found_study(experiment, first) as study:
        trials = wanted_trials(study, experiment.plan.trials, extend or 0)
        tuned = wanted_of_baselines(study, experiment.plan.tune_baselines, extend or 0)
    for search in baselines:
        with _found_study(experiment, search) as study:
            refuse_fewer(study, tuned, "--tune-baselines")
    plan = plan_with(experiment.plan, trials=trials, tune_baselines=tuned)
    if extend:
        _refuse_beyond_grid(plan, experiment.configuration, trials - extend)
    return dataclasses.replace(experiment, plan=plan, extend=extend or 0)


@contextmanager
def _found_study(experiment: Experiment, search: MethodSearch) -> Iterator[optuna.Study | None]:
    """The first study of a search, read-only; None if there is none. UserError: made with other settings."""
    from platform.experiments.study_definition import search_definition
    from platform.search.storage import close_storage, find_study

    suffix = search.scopes[0].suffix
    study = find_study(experiment.storage_location, experiment.name + suffix)
    try:
        if study is not None:
            definition = search_definition(experiment, search)
            dataclasses.replace(definition, name=study.study_name).refuse_other(study)
        yield study
    finally:
        if study is not None:
            close_storage(study._storage)


def _refuse_beyond_grid(plan: Plan, configuration: Configuration, trials_before: int) -> None:
    from platform.search.preview import trials_to_run

    size = trials_to_run(plan, configuration)
    if size <= trials_before:
        raise UserError(
            f"--extend adds trials, but all {size} configurations of the grid have been tried; widen the "
            f"space under a new --name."
        )


def check_baseline_searches(configuration: Configuration, plan: Plan) -> None:
    """UserError: no baseline to tune, or a space that does not suit a baseline's settings or the sampler."""
    from platform.experiments.method_search import method_searches, tuned_baselines
    from platform.search.definition import definition_of_space

    if not plan.tune_baselines:
        return
    if not tuned_baselines(configuration, plan):
        raise UserError(
            f"--tune-baselines searches every baseline other than {configuration.method}, but baselines is "
            f"{','.join(plan.baselines)!r}; name one with --baselines, or drop --tune-baselines."
        )
    for search in method_searches(configuration, plan, plan.folds)[1:]:
        try:
            check_sampler(
                search.plan, definition_of_space(search.plan.space, search.base, fixed=search.plan.fixed)
            )
        except UserError as error:
            raise UserError(
                f"--tune-baselines searches {search.method} over the space {search.plan.space}: {error}"
            ) from error


def search_lines(plan: Plan, configuration: Configuration, steps: int) -> list[str]:
    """Lines of the printed plan: search algorithm, initial configurations, objectives, pruning."""
    from platform.search.definition import definition_of_space
    from platform.search.pruning import why_unpruned
    from platform.search.samplers import describe_sampler

    definition = definition_of_space(plan.space, configuration, fixed=plan.fixed, enqueued=plan.enqueued)
    lines = [f"sampler {describe_sampler(plan.sampler, definition.suggest)}", _tried_first(plan, definition)]
    if plan.asynchronous:
        lines[0] += "; asynchronous: a resumed search differs from an uninterrupted one"
    if len(plan.objectives) > 1:
        titles = ", ".join(OBJECTIVES[name].title for name in plan.objectives)
        lines.append(f"objectives: {titles}; the most accurate trial of the Pareto front is chosen")
    reason = why_unpruned(plan, steps)
    lines.append(f"pruning: off ({reason})" if reason else "pruning: on (Wilcoxon over subjects)")
    return lines


def _tried_first(plan: Plan, definition: SearchDefinition) -> str:
    count = len(definition.first)
    given = len(json.loads(plan.enqueued)) if plan.enqueued else 0
    own = f", {given} from --enqueue (duplicates are tried once)" if given else ""
    left = f"; --trials {plan.trials} leaves out {count - plan.trials}" if plan.trials < count else ""
    return f"tried first: {count} configurations{own}{left}"


def front_lines(content: dict[str, Any]) -> list[str]:
    """The Pareto front of each study with several objectives; the chosen trial is marked."""
    from platform.experiments.experiment_file import studies_of

    lines = []
    for study in studies_of(content):
        names = study.get("objectives", [])
        if len(names) < 2:
            continue
        lines.append(f"Pareto front of {study['name']} (trials that no other trial dominates):")
        trials = {trial["number"]: trial for trial in study["trials"]}
        for number in study["front"]:
            values = ", ".join(shown_value(name, trials[number]["values"][name]) for name in names)
            chosen = "  <- chosen: the most accurate" if number == study["winner"] else ""
            lines.append(f"  trial {number}: {values}{chosen}")
    return lines


def unscored_trial_lines(content: dict[str, Any]) -> list[str]:
    """Trials without a score, of all studies, with the reasons."""
    from platform.experiments.experiment_file import studies_of
    from platform.reports.unscored_trials import unscored_lines

    return [line for study in studies_of(content) for line in unscored_lines(study)]


def any_trial_failed(content: dict[str, Any]) -> bool:
    """Whether a fold run of a trial failed after all retries."""
    from platform.experiments.experiment_file import studies_of
    from platform.reports.unscored_trials import failed_trials

    return any(failed_trials(study) for study in studies_of(content))


def shown_value(name: str, value: float) -> str:
    """`accuracy 54.3%`, `latency 12.3 ms`, `parameters 799,048`."""
    if name == "latency":
        return f"latency {value:.1f} ms"
    if name == "parameters":
        return f"parameters {value:,.0f}"
    return f"{name.replace('_', ' ')} {value:.1%}"
