"""Search spaces: one file each, an Optuna define-by-run function `suggest(trial) -> overrides`.

A space imports neither Ray nor torch. `first(base)` lists the configurations that a study tries
before its sampler proposes any, as values of the parameters that `suggest` asks for.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from platform.errors import UserError, unknown_name
from platform.models.networks.weights import is_pinned

if TYPE_CHECKING:
    import optuna


class Space(Protocol):
    """What a file of this folder offers."""

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        """Fields of the configuration that this trial overrides."""

    def first(self, base: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Parameter values to try first; `base` is the preset's configuration."""


def refuse_weights_of_one_backbone(base: Mapping[str, Any]) -> None:
    """For a space that chooses among backbones: UserError where `base` starts from a file, which fits one."""
    if is_pinned(base["weights"]):
        raise UserError(
            f"--weights FILE fits {base['backbone']} only, but the search space chooses among backbones; "
            "pass --weights imagenet or none, or run the file with crossval."
        )


def space_names() -> list[str]:
    """The known spaces, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def load_space(name: str) -> Space:
    """The space of that name; UserError lists the known ones."""
    if name not in space_names():
        raise unknown_name("search space", name, space_names())
    return cast(Space, importlib.import_module(f"search_spaces.{name}"))
