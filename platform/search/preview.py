"""Configurations that a search may propose, for estimates of time, memory and disk before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from platform.config.configuration import Configuration, Plan, replace
from platform.errors import UserError
from platform.runs.cost import costs_of
from platform.search.definition import SearchDefinition, definition_of_space
from platform.search.parameters import GivenTrial
from platform.search.samplers import grid_of

if TYPE_CHECKING:
    import optuna

DRAWS = 50
"""Random samples of a space that enter the estimates, beside the first configurations."""


def trials_to_run(plan: Plan, configuration: Configuration) -> int:
    """Number of trials of each study: the planned number, or the size of a smaller grid."""
    if plan.sampler != "grid":
        return plan.trials
    return min(plan.trials, len(_grid(_definition(plan, configuration), plan)))


def proposals_ahead(plan: Plan, configuration: Configuration, class_count: int) -> list[Configuration]:
    """Configurations that represent the search: its first ones, then random samples of its space.

    For a grid, the grid itself. Deterministic. Invalid configurations are left out, since the search runs
    nothing for them. The starting configuration if no other is left.
    """
    definition = _definition(plan, configuration)
    if plan.sampler == "grid":
        drawn: Iterator[dict[str, Any]] = (_overrides(definition, one) for one in _grid(definition, plan))
    else:
        drawn = _first_then_random(definition)
    found = []
    for overrides in drawn:
        try:
            proposed = replace(configuration, **overrides)
            costs_of(proposed, class_count)  # images too small for the net
        except UserError:
            continue
        found.append(proposed)
    return found or [configuration]


def _definition(plan: Plan, configuration: Configuration) -> SearchDefinition:
    return definition_of_space(plan.space, configuration, fixed=plan.fixed, enqueued=plan.enqueued)


def _grid(definition: SearchDefinition, plan: Plan) -> list[dict[str, Any]]:
    return grid_of(definition.suggest, definition.first, study_seed=plan.study_seed)


def _overrides(definition: SearchDefinition, parameters: Any) -> dict[str, Any]:
    trial: optuna.Trial = GivenTrial(parameters)  # type: ignore[assignment]
    return definition.suggest(trial)


def _first_then_random(definition: SearchDefinition) -> Iterator[dict[str, Any]]:
    import optuna

    yield from (_overrides(definition, one) for one in definition.first)
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for _ in range(DRAWS):
            yield definition.suggest(study.ask())
    finally:
        optuna.logging.set_verbosity(level)
