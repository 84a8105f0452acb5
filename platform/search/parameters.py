"""Parameters of a search space: discovery, fixed values (`--fix`), and validation of given values."""

from __future__ import annotations

import difflib
import functools
import math
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
    check_distribution_compatibility,
)

from platform.config.configuration import option_names
from platform.errors import UserError, unknown_name
from platform.models import load_method, method_names
from platform.search.parameter_values import as_value, at_share, in_words, is_inside, kind_in_words, lowest
from search_spaces import space_file

Suggest = Callable[[optuna.Trial], dict[str, Any]]
"""A search space: `suggest(trial) -> overrides`."""

SURVEYED_TRIALS = 256
"""Random walks through a space that discover its parameters, including those of its branches."""


@dataclass(frozen=True, kw_only=True)
class SpaceParameters:
    """The parameters of a space and the fields that it sets, over all its branches."""

    space: str
    """Name of the space."""
    distributions: Mapping[str, BaseDistribution]
    """Parameter to its distribution."""
    fields: frozenset[str]
    """Options that the space sets."""
    options: tuple[str, ...]
    """All options of the method that the space searches."""

    def unknown(self, kind: str, name: str) -> UserError:
        """The error for a `name`, given as `kind`, that is not a parameter of the space."""
        if name in self.fields:
            return UserError(
                f"{kind} {name!r} is not a parameter of the space {self.space}, but derived from others; "
                f"the parameters are {', '.join(sorted(self.distributions))}."
            )
        if name in self.options:
            return UserError(
                f"{kind} {name!r} is not searched by the space {self.space}, so all trials have the same "
                f"value; pass it as --{name.replace('_', '-')} VALUE."
            )
        flags = [field for field in self.options if field not in {*self.fields, *self.distributions}]
        nearest = difflib.get_close_matches(name, [*self.distributions, *flags], n=1)
        if nearest and nearest[0] in flags:
            return UserError(
                f"unknown {kind} {name!r}; did you mean the flag --{nearest[0].replace('_', '-')}? Known: "
                f"{', '.join(sorted(self.distributions))}."
            )
        return unknown_name(kind, name, self.distributions)


def survey(space: str, suggest: Suggest, method: str = "fmpn") -> SpaceParameters:
    """Discover a space's parameters by running `suggest` on random trials.

    UserError: the space sets an option that the method does not have, or asks for one parameter with
    incompatible distributions.
    """
    options = option_names(method)
    random = Random(0)
    distributions: dict[str, BaseDistribution] = {}
    fields: set[str] = set()
    for walk in range(SURVEYED_TRIALS):
        trial = _RandomTrial(space, random, distributions, lowest_numbers=walk % 2 == 0)
        fields |= suggest(trial).keys()  # type: ignore[arg-type]
    _check_options(space, fields, method)
    return SpaceParameters(
        space=space, distributions=distributions, fields=frozenset(fields), options=options
    )


def _check_options(space: str, fields: set[str], method: str) -> None:
    """UserError: the space sets `method`, or an option that the method does not have."""
    if "method" in fields:
        raise UserError(
            f"a space searches one method, but {space_file(space)} sets `method`; remove it, and search "
            "each method under a --name of its own."
        )
    options = option_names(method)
    unread = sorted(fields - set(options))
    elsewhere = {name for other in method_names() for name in option_names(other)}
    for name in unread:
        if name not in elsewhere:
            raise unknown_name(f"field set by {space_file(space)}", name, options)
    if unread:
        raise unread_options(space, unread, method)


def unread_options(space: str, unread: Sequence[str], method: str) -> UserError:
    """The error for a space that sets options which the method does not read."""
    own = load_method(method).space
    other = f"pass a --space for it ({own}), or another --method" if own != space else "correct its file"
    return UserError(
        f"the space {space} searches {', '.join(unread)}, which the method {method} does not read; {other}."
    )


def parse_fixed(texts: Sequence[str], parameters: SpaceParameters) -> dict[str, Any]:
    """The values of `--fix`, each given as `parameter=value`.

    A number may lie outside the space's range; the configuration's rules decide whether it is valid.
    UserError: another form, a repeated or unknown parameter, a value that is not one of the choices or not a
    finite number.
    """
    fixed: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not (name and separator and value):
            raise UserError(f"--fix takes PARAMETER=VALUE, for example optimizer=adamw, but got {text!r}.")
        if name in fixed:
            raise UserError(f"--fix takes each parameter once, but got {name!r} twice.")
        if name not in parameters.distributions:
            raise parameters.unknown("parameter in --fix", name)
        distribution = parameters.distributions[name]
        fixed[name] = as_value(value, distribution)
        if isinstance(distribution, CategoricalDistribution) and not is_inside(fixed[name], distribution):
            raise UserError(
                f"--fix {name} takes {in_words(distribution)}, but got {value!r}; choose one of them."
            )
        if isinstance(fixed[name], str) and not isinstance(distribution, CategoricalDistribution):
            raise UserError(f"--fix {name} takes a number, but got {value!r}.")
        if isinstance(fixed[name], float) and not math.isfinite(fixed[name]):
            raise UserError(f"--fix {name} takes a finite number, but got {value!r}.")
    return fixed


def with_fixed(suggest: Suggest, fixed: Mapping[str, Any]) -> Suggest:
    """The same space with the `fixed` values; the search algorithm proposes only the others."""
    return functools.partial(_suggest_with, suggest, dict(fixed)) if fixed else suggest


def _suggest_with(suggest: Suggest, fixed: Mapping[str, Any], trial: optuna.Trial) -> dict[str, Any]:
    return suggest(_FixingTrial(trial, fixed))  # type: ignore[arg-type]


class _FixingTrial:
    """A proxy of a trial that returns the fixed values and delegates everything else."""

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
    """A stand-in for Optuna's trial, without a study, that records what a space asks for."""

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

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        # Not AttributeError: `hasattr(trial, "number")` must fail too.
        raise NotImplementedError(
            f"a space may call only suggest_float, suggest_int and suggest_categorical, so that a "
            f"proposal is a function of its values, but it used trial.{attribute}"
        )

    def _ask(self, name: str, distribution: BaseDistribution) -> Any:
        self.distributions[name] = distribution
        return self._answer(name, distribution)

    @abstractmethod
    def _answer(self, name: str, distribution: BaseDistribution) -> Any:
        """The parameter's value."""


class _RandomTrial(AskedTrial):
    """Takes a random path through the space: draws every choice, and either draws or minimises numbers."""

    def __init__(
        self,
        space: str,
        random: Random,
        distributions: dict[str, BaseDistribution],
        *,
        lowest_numbers: bool,
    ) -> None:
        """`distributions`: those that earlier trials of the survey found; extended in place."""
        super().__init__()
        self.distributions = distributions
        self._space, self._random, self._lowest_numbers = space, random, lowest_numbers

    def _ask(self, name: str, distribution: BaseDistribution) -> Any:
        before = self.distributions.get(name, distribution)
        try:
            check_distribution_compatibility(before, distribution)
        except ValueError as error:
            raise UserError(
                f"a parameter must have one type and one set of choices in {space_file(self._space)}, "
                f"but {name} is {kind_in_words(before)} in one place and "
                f"{kind_in_words(distribution)} in another; rename one of them."
            ) from error
        return super()._ask(name, distribution)

    def _answer(self, name: str, distribution: BaseDistribution) -> Any:
        if self._lowest_numbers and not isinstance(distribution, CategoricalDistribution):
            return lowest(distribution)
        return at_share(distribution, self._random.random())


class GivenTrial(AskedTrial):
    """A trial with given values; collects values that do not fit instead of raising."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__()
        self._values = values
        self.problems: list[str] = []
        """Descriptions of missing parameters and of values outside their ranges."""

    @property
    def asked(self) -> dict[str, Any]:
        """The requested parameters that have a value."""
        return {name: self._values[name] for name in self.distributions if name in self._values}

    def _answer(self, name: str, distribution: BaseDistribution) -> Any:
        if name not in self._values:
            self.problems.append(f"{name} ({in_words(distribution)}) is missing")
        elif is_inside(self._values[name], distribution):
            return self._values[name]
        else:
            self.problems.append(f"{name} must be {in_words(distribution)}, but is {self._values[name]!r}")
        return lowest(distribution)
