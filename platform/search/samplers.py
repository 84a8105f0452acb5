"""Search algorithms by name, seeded for each proposal by the study's seed and the trial's number."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
)
from optuna.samplers import BaseSampler

from platform.errors import UserError
from platform.search.parameter_values import at_share
from platform.search.parameters import Suggest
from platform.search.space_paths import paths

MOST_GRID_POINTS = 2_000
"""Limit on the size of a grid."""
QMC_COORDINATES = 64
"""Parameters that a trial may ask for with `qmc`."""


def seed_of(study_seed: int, number: int, study: str = "") -> int:
    """Seed in [0, 2**32) of trial `number`'s proposal; `study`: the suffix of one of several studies."""
    return _seed(f"{study_seed}/trial/{number}{study}")


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def make_sampler(
    name: str, *, study_seed: int, number: int, study: str = "", grid: Sequence[dict[str, Any]] = ()
) -> BaseSampler:
    """The named sampler for one proposal: that of trial `number` of the study with the suffix `study`.

    `grid` holds the configurations of the grid by trial number. Parameters outside the relative search space
    of GP and CMA-ES are left to the random sampler and to TPE, respectively.
    """
    seed = seed_of(study_seed, number, study)
    if name == "tpe":
        return optuna.samplers.TPESampler(seed=seed)
    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if name == "gp":
        return optuna.samplers.GPSampler(seed=seed, warn_independent_sampling=False)
    if name == "cmaes":
        return optuna.samplers.CmaEsSampler(
            seed=seed,
            independent_sampler=optuna.samplers.TPESampler(seed=seed),
            warn_independent_sampling=False,
        )
    if name == "qmc":
        return QuasiRandomSampler(_seed(f"{study_seed}/points{study}"), number)
    if name == "grid":
        return GridPointSampler(grid[number])
    raise ValueError(f"unknown sampler {name!r}")


class _IndependentSampler(BaseSampler):
    """A sampler that draws each parameter independently, when the space asks for it."""

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        return {}


class QuasiRandomSampler(_IndependentSampler):
    """Scrambled Sobol points: the k-th parameter that trial n asks for takes coordinate k of point n.

    Optuna's QMCSampler keeps its index in the study, where a proposal computed outside the study would lose
    it, and takes its space from the first finished trial, so that the first generation and all parameters of
    other branches would be random. This one avoids both.
    """

    def __init__(self, seed: int, index: int) -> None:
        from scipy.stats.qmc import Sobol

        points = Sobol(QMC_COORDINATES, scramble=True, rng=seed)
        if index:
            points.fast_forward(index)
        self._shares: Iterator[float] = iter(points.random(1)[0].tolist())

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        share = next(self._shares, None)
        if share is None:
            raise UserError(
                f"the sampler qmc supports at most {QMC_COORDINATES} parameters, and {param_name} is one "
                f"more; pass --sampler tpe."
            )
        return at_share(param_distribution, share)


class GridPointSampler(_IndependentSampler):
    """Returns one point of the grid."""

    def __init__(self, point: dict[str, Any]) -> None:
        self._point = point

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._point[param_name]


def grid_of(
    suggest: Suggest, first: Sequence[Mapping[str, Any]] = (), *, study_seed: int = 0
) -> list[dict[str, Any]]:
    """All configurations of a categorical space by trial number: `first` as given, then the others shuffled.

    The order is seeded by the study's seed, so that a search that ends early has covered the whole grid.
    UserError: a numeric parameter, or too many configurations.
    """
    points: list[dict[str, Any]] = []
    for path in paths(suggest):
        for name, distribution in path.distributions.items():
            if not isinstance(distribution, CategoricalDistribution):
                raise UserError(
                    f"the sampler grid supports categorical parameters only, but {name} is numeric; define "
                    f"it with suggest_categorical, fix it with --fix, or pass another --sampler (qmc covers "
                    f"ranges evenly)."
                )
        points.append(path.values)
        if len(points) > MOST_GRID_POINTS:
            raise UserError(
                f"a grid may have at most {MOST_GRID_POINTS} configurations, but this space has more; pass "
                f"another --sampler."
            )
    given = [dict(point) for point in first]
    others = [point for point in points if point not in given]
    order = np.random.default_rng(study_seed).permutation(len(others))
    return given + [others[index] for index in order]


def describe_sampler(name: str, suggest: Suggest) -> str:
    """A line for the screen: which parameters the search algorithm proposes itself, and which it delegates.

    UserError: `grid` on a space with numeric parameters, `cmaes` on one without.
    """
    if name == "grid":
        return f"grid: {len(grid_of(suggest))} configurations, each tried once, in seeded order"
    if name == "cmaes":
        always, sometimes = _parameters(suggest)
        own = [n for n, kind in always.items() if not isinstance(kind, CategoricalDistribution)]
        if not own:
            raise UserError(
                "the sampler cmaes needs a numeric parameter that every trial has, but this space has none; "
                "pass --sampler tpe or grid."
            )
        return _shared_out("cmaes", own, [n for n in (*always, *sometimes) if n not in own], "TPE")
    if name == "gp":
        always, sometimes = _parameters(suggest)
        return _shared_out("gp", list(always), sometimes, "a random sampler")
    return f"{name}: all parameters"


def _parameters(suggest: Suggest) -> tuple[dict[str, BaseDistribution], list[str]]:
    """The parameters that every trial has, and the names of conditional parameters."""
    found: dict[str, BaseDistribution] = {}
    always: set[str] | None = None
    for path in itertools.islice(paths(suggest), MOST_GRID_POINTS):
        found |= path.distributions
        always = set(path.distributions) & (always if always is not None else set(path.distributions))
    return {n: found[n] for n in found if n in (always or ())}, [n for n in found if n not in (always or ())]


def _shared_out(name: str, own: list[str], rest: list[str], other: str) -> str:
    left = f"; {', '.join(rest)} left to {other}" if rest else ""
    return f"{name}: moves {', '.join(own)}{left}"
