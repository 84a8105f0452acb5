"""The parameters of a search space: what it asks for, values that a user fixes, and whether values fit."""

from __future__ import annotations

import dataclasses
import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from platform.config import Configuration
from platform.errors import UserError, unknown_name
from platform.results.parameter_values import as_value, in_words, is_inside, lowest

Suggest = Callable[[optuna.Trial], dict[str, Any]]
"""A search space: `suggest(trial) -> overrides`."""

SURVEYED_TRIALS = 256
"""Random walks from which a space's parameters are learned, those of its branches too."""

CONFIGURATION_FIELDS = tuple(field.name for field in dataclasses.fields(Configuration))


@dataclass(frozen=True, kw_only=True)
class SpaceParameters:
    """What a space asks for and sets, over all its branches."""

    space: str
    """Its name."""
    distributions: Mapping[str, BaseDistribution]
    """Parameter to where its values come from."""
    fields: frozenset[str]
    """Fields of the configuration that it sets."""

    def unknown(self, kind: str, name: str) -> UserError:
        """The error for a `name`, given as `kind`, that is not one of the parameters."""
        if name in self.fields:
            return UserError(
                f"{kind} {name!r} is no parameter of the space {self.space}: it is worked out from others; "
                f"the parameters are {', '.join(sorted(self.distributions))}."
            )
        if name in CONFIGURATION_FIELDS:
            return UserError(
                f"{kind} {name!r} is not searched by the space {self.space}, so all trials have the same "
                f"value; pass it as --{name.replace('_', '-')} VALUE."
            )
        return unknown_name(kind, name, {*self.distributions, *CONFIGURATION_FIELDS})


def survey(space: str, suggest: Suggest) -> SpaceParameters:
    """Learn a space's parameters by asking it. UserError: it sets what is no field of the configuration."""
    random = Random(0)
    distributions: dict[str, BaseDistribution] = {}
    fields: set[str] = set()
    for _ in range(SURVEYED_TRIALS):
        trial = _RandomTrial(random)
        fields |= suggest(trial).keys()  # type: ignore[arg-type]
        distributions |= trial.distributions
    for name in sorted(fields - set(CONFIGURATION_FIELDS)):
        raise unknown_name(f"field set by search_spaces/{space}.py", name, CONFIGURATION_FIELDS)
    return SpaceParameters(space=space, distributions=distributions, fields=frozenset(fields))


def parse_fixed(texts: Sequence[str], parameters: SpaceParameters) -> dict[str, Any]:
    """The values of `--set`, each given as `parameter=value`.

    A number may lie outside the space's range: the configuration says whether it can be. UserError: not of
    that form, given twice, an unknown parameter, a value that is none of a choice's or no number.
    """
    fixed: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not (name and separator and value):
            raise UserError(f"--set takes PARAMETER=VALUE, for example lambda_mask=10, but got {text!r}.")
        if name in fixed:
            raise UserError(f"--set takes each parameter once, but got {name!r} twice.")
        if name not in parameters.distributions:
            raise parameters.unknown("parameter in --set", name)
        distribution = parameters.distributions[name]
        fixed[name] = as_value(value, distribution)
        if isinstance(distribution, CategoricalDistribution) and not is_inside(fixed[name], distribution):
            raise UserError(
                f"--set {name} takes {in_words(distribution)}, but got {value!r}; choose one of them."
            )
        if isinstance(fixed[name], str) and not isinstance(distribution, CategoricalDistribution):
            raise UserError(f"--set {name} takes a number, but got {value!r}.")
    return fixed


def with_fixed(suggest: Suggest, fixed: Mapping[str, Any]) -> Suggest:
    """The same space, which is given the `fixed` values and asks the sampler for the others only."""
    return functools.partial(_suggest_with, suggest, dict(fixed)) if fixed else suggest


def _suggest_with(suggest: Suggest, fixed: Mapping[str, Any], trial: optuna.Trial) -> dict[str, Any]:
    return suggest(_FixingTrial(trial, fixed))  # type: ignore[arg-type]


class _FixingTrial:
    """A trial in front of another: it answers for the fixed parameters itself."""

    def __init__(self, trial: optuna.Trial, fixed: Mapping[str, Any]) -> None:
        self._trial, self._fixed = trial, fixed

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._trial, attribute)
        if not attribute.startswith("suggest_"):
            return value

        def suggest(name: str, *arguments: Any, **options: Any) -> Any:
            return self._fixed[name] if name in self._fixed else value(name, *arguments, **options)

        return suggest


class AskedTrial(ABC):
    """Stands in for Optuna's trial without a study: notes what a space asks for."""

    def __init__(self) -> None:
        self.distributions: dict[str, BaseDistribution] = {}

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> Any:
        """As Optuna's."""
        return self._ask(name, FloatDistribution(low, high, log=log, step=step))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> Any:
        """As Optuna's."""
        return self._ask(name, IntDistribution(low, high, log=log, step=step))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """As Optuna's."""
        return self._ask(name, CategoricalDistribution(choices))

    def _ask(self, name: str, distribution: BaseDistribution) -> Any:
        self.distributions[name] = distribution
        return self._answer(name, distribution)

    @abstractmethod
    def _answer(self, name: str, distribution: BaseDistribution) -> Any:
        """The parameter's value."""


class _RandomTrial(AskedTrial):
    """Goes down a branch of the space at random: every choice is drawn, every number is the lowest."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random

    def _answer(self, name: str, distribution: BaseDistribution) -> Any:
        if isinstance(distribution, CategoricalDistribution):
            return self._random.choice(distribution.choices)
        return lowest(distribution)


class GivenTrial(AskedTrial):
    """Answers with values from outside, and notes what does not fit instead of stopping."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__()
        self._values = values
        self.problems: list[str] = []
        """In words: parameters without a value, and values outside."""

    @property
    def asked(self) -> dict[str, Any]:
        """The parameters that were asked for and have a value."""
        return {name: self._values[name] for name in self.distributions if name in self._values}

    def _answer(self, name: str, distribution: BaseDistribution) -> Any:
        if name not in self._values:
            self.problems.append(f"{name} ({in_words(distribution)}) is missing")
        elif is_inside(self._values[name], distribution):
            return self._values[name]
        else:
            self.problems.append(f"{name} must be {in_words(distribution)}, but is {self._values[name]!r}")
        return lowest(distribution)
