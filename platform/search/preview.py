"""What a search may propose, before it does: for the time, memory and disk in its plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from platform.config.configuration import Configuration, Plan, replace
from platform.errors import UserError
from platform.search.definition import SearchDefinition, definition_of_space
from platform.search.parameters import GivenTrial
from platform.search.samplers import grid_of

if TYPE_CHECKING:
    import optuna

DRAWS = 50
"""Random configurations of a space that are looked at, beside those that are tried first."""


def trials_to_run(plan: Plan, configuration: Configuration) -> int:
    """Trials of each study: as many as planned, or all of a smaller grid."""
    if plan.sampler != "grid":
        return plan.trials
    return min(plan.trials, len(_grid(_definition(plan, configuration), plan)))


def proposals_ahead(plan: Plan, configuration: Configuration) -> list[Configuration]:
    """Configurations like those that the search will try: its first ones, then random ones of its space.

    Always the same ones; a grid's own. Those that are not valid are left out: the search records and counts
    them. The starting configuration where no other is left.
    """
    definition = _definition(plan, configuration)
    if plan.sampler == "grid":
        drawn: Iterator[dict[str, Any]] = (_overrides(definition, one) for one in _grid(definition, plan))
    else:
        drawn = _first_then_random(definition)
    found = []
    for overrides in drawn:
        try:
            found.append(replace(configuration, **overrides))
        except UserError:
            continue
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
