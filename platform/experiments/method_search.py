"""Searches of an experiment: that of its method and, with `--tune-baselines`, one of each baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from platform.config.configuration import Configuration, Plan, plan_with
from platform.config.presets import preset, with_method
from platform.config.selection import Scope, Step, scopes
from platform.search.parameters import survey
from search_spaces import load_space


@dataclass(frozen=True, kw_only=True)
class MethodSearch:
    """The search of one method: one study, or one for each outer fold."""

    base: Configuration
    """The configuration around which it searches."""
    plan: Plan
    """The experiment's plan with this search's space, number of trials and fixed parameters."""
    scopes: tuple[Scope, ...]
    """Its studies."""

    @property
    def method(self) -> str:
        """Name of the searched method."""
        return self.base.method

    @property
    def steps(self) -> list[Step]:
        """The fold runs of a trial in each of its studies."""
        return [step for scope in self.scopes for step in scope.steps]


def method_searches(configuration: Configuration, plan: Plan, fold_count: int) -> tuple[MethodSearch, ...]:
    """The search around `configuration`, then those of the baselines.

    A baseline starts from `configuration`, not from the winner (`with_method`), over the space of its own
    preset, with the same folds, rounds, search algorithm, generation size, pruning and selection rule.
    Parameters fixed by `--fix` are fixed in its search too, where its space has them; `--enqueue` is for the
    first search alone.
    """
    studies = scopes(plan.selection_rule, fold_count, plan.study_seed)
    first = MethodSearch(base=configuration, plan=plan, scopes=studies)
    return (first, *(_of_baseline(first, method) for method in tuned_baselines(configuration, plan)))


def tuned_baselines(configuration: Configuration, plan: Plan) -> tuple[str, ...]:
    """The baselines that get a search of their own."""
    if not plan.tune_baselines:
        return ()
    return tuple(dict.fromkeys(name for name in plan.baselines if name != configuration.method))


def _of_baseline(first: MethodSearch, method: str) -> MethodSearch:
    space = preset(first.plan.preset, method)["space"]
    parameters = survey(space, load_space(space).suggest, method).distributions if first.plan.fixed else {}
    return MethodSearch(
        base=with_method(first.base, method, first.plan),
        plan=plan_with(
            first.plan,
            space=space,
            trials=first.plan.tune_baselines,
            fixed=tuple(text for text in first.plan.fixed if text.partition("=")[0] in parameters),
            enqueued="",
        ),
        scopes=tuple(dataclasses.replace(scope, suffix=f"-{method}{scope.suffix}") for scope in first.scopes),
    )


def search_of_study(searches: Sequence[MethodSearch], suffix: str) -> tuple[MethodSearch, Scope]:
    """The search and the scope of the study with that suffix."""
    return next((one, scope) for one in searches for scope in one.scopes if scope.suffix == suffix)
