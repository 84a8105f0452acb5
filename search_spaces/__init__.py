"""Search spaces: one file each, an Optuna define-by-run function `suggest(trial) -> overrides`.

A space imports neither Ray nor torch. `first(base)` lists the configurations that a study tries
before its sampler proposes any, as values of the parameters that `suggest` asks for: the paper's and
the released one before all others. docs/search_spaces.md says how to add a file.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from platform.errors import UserError, unknown_name

if TYPE_CHECKING:
    import optuna

PUBLISHED_LAMBDA_MASK = (10.0, 0.1)
"""lambda_G of the paper and of the released code (METHODS 2.6): all in which the two differ."""


class Space(Protocol):
    """What a file of this folder offers."""

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        """Fields of the configuration that this trial overrides; the others keep the base's values."""

    def first(self, base: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Parameter values to try first; `base` holds all fields of the preset's configuration."""


def published_first(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`given` with the paper's lambda_G, with the released one, and as it is where it has another."""
    published = [{**given, "lambda_mask": value} for value in PUBLISHED_LAMBDA_MASK]
    return published if dict(given) in published else [*published, dict(given)]


def space_names() -> list[str]:
    """The known spaces, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def load_space(name: str) -> Space:
    """The space of that name. UserError lists the known ones, or says what its file lacks."""
    if name not in space_names():
        raise unknown_name("search space", name, space_names())
    space = importlib.import_module(f"search_spaces.{name}")
    lacking = [function for function in ("suggest", "first") if not callable(getattr(space, function, None))]
    if lacking:
        raise UserError(
            f"a search space defines suggest(trial) and first(base), but search_spaces/{name}.py has no "
            f"{' and no '.join(lacking)}; see docs/search_spaces.md."
        )
    return cast(Space, space)
