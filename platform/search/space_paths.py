"""Paths through the choices of a search space, with numeric parameters at their midpoints."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution

from platform.runs.identity import canonical_json
from platform.search.parameter_values import at_share, in_words
from platform.search.parameters import AskedTrial, Suggest

HASHED_PATHS = 256


@dataclass(frozen=True, kw_only=True)
class SpacePath:
    """One path through a space: a value for each choice on the way."""

    values: dict[str, Any]
    """Parameter to its value."""
    distributions: Mapping[str, BaseDistribution]
    overrides: dict[str, Any]
    """The fields of the configuration that the space returns for these values."""


def paths(suggest: Suggest) -> Iterator[SpacePath]:
    """One path per combination of choices, depth first.

    A parameter that depends on the value of a number is found only if the midpoint has it.
    """
    turns: list[int] | None = []
    while turns is not None:
        trial = _PathTrial(turns)
        overrides = suggest(trial)  # type: ignore[arg-type]
        yield SpacePath(values=trial.values, distributions=trial.distributions, overrides=overrides)
        turns = trial.next_turns()


def space_settings(suggest: Suggest) -> dict[str, str]:
    """A space as settings of a study: the range of each parameter, and a hash of the fields that it sets.

    The hash, over the first `HASHED_PATHS` paths, also covers values that the space derives from parameters.
    """
    found: dict[str, BaseDistribution] = {}
    overrides = []
    for path in itertools.islice(paths(suggest), HASHED_PATHS):
        found |= path.distributions
        overrides.append(path.overrides)
    # Six digits, because the last bits of a logarithmic midpoint may differ between machines.
    text = canonical_json(json.loads(json.dumps(overrides), parse_float=lambda x: f"{float(x):.6g}"))
    shown = {f"parameter {name}": _shown(found[name]) for name in sorted(found)}
    return {**shown, "space sets": hashlib.sha256(text.encode()).hexdigest()[:12]}


def _shown(distribution: BaseDistribution) -> str:
    log = " (log)" if getattr(distribution, "log", False) else ""
    return in_words(distribution) + log


class _PathTrial(AskedTrial):
    """Takes the given turns (indices of choices), then always the first choice."""

    def __init__(self, turns: list[int]) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self._turns = turns
        self._taken: list[tuple[int, int]] = []

    def _answer(self, name: str, distribution: BaseDistribution) -> Any:
        if name in self.values:  # asked for again
            return self.values[name]
        if isinstance(distribution, CategoricalDistribution):
            place = len(self._taken)
            index = self._turns[place] if place < len(self._turns) else 0
            self._taken.append((index, len(distribution.choices)))
            self.values[name] = distribution.choices[index]
        else:
            self.values[name] = at_share(distribution, 0.5)
        return self.values[name]

    def next_turns(self) -> list[int] | None:
        """The turns of the next path; None after the last."""
        taken = list(self._taken)
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        return [index for index, _ in taken[:-1]] + [taken[-1][0] + 1] if taken else None
