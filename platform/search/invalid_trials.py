"""Proposals that make no valid configuration: recorded with the reason; too many in a row end a search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from optuna.trial import FrozenTrial

from platform.config.configuration import Configuration, replace
from platform.errors import UserError

ATTRIBUTE = "invalid"
"""User attribute of such a trial: the parameter, its value and the rule that it breaks."""
MOST_IN_A_ROW = 10
"""So many in a row are no bad luck: the space is wrong."""


def why_invalid(base: Configuration, overrides: Mapping[str, Any]) -> str:
    """Parameter, value and rule where the overrides make no valid configuration; otherwise empty."""
    try:
        replace(base, **overrides)
    except UserError as error:
        return str(error)
    return ""


def too_many_invalid(trials: Iterable[FrozenTrial]) -> str:
    """The last reason of the first `MOST_IN_A_ROW` invalid trials in a row, by number; empty where none."""
    row = 0
    for trial in sorted(trials, key=lambda trial: trial.number):
        row = row + 1 if ATTRIBUTE in trial.user_attrs else 0
        if row == MOST_IN_A_ROW:
            return str(trial.user_attrs[ATTRIBUTE])
    return ""
