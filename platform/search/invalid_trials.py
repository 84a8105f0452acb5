"""Invalid proposals: recorded with the reason; too many consecutive ones end the search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from optuna.trial import FrozenTrial

from platform.config.configuration import Configuration, replace
from platform.errors import UserError
from platform.runs.cost import costs_of

ATTRIBUTE = "invalid"
"""User attribute of an invalid trial: the parameter, its value and the rule that it violates."""
MOST_IN_A_ROW = 10
"""This many consecutive failures are unlikely by chance: the space is wrong."""


def why_invalid(base: Configuration, overrides: Mapping[str, Any], class_count: int) -> str:
    """Parameter, value and rule if the overrides produce an invalid configuration; otherwise empty.

    Images too small for the configuration's net make it invalid; so a net not yet known is counted here.
    """
    try:
        costs_of(replace(base, **overrides), class_count)
    except UserError as error:
        return str(error)
    return ""


def too_many_invalid(trials: Iterable[FrozenTrial]) -> str:
    """Last reason of the first `MOST_IN_A_ROW` consecutive invalid trials; empty if there are none."""
    row = 0
    for trial in sorted(trials, key=lambda trial: trial.number):
        row = row + 1 if ATTRIBUTE in trial.user_attrs else 0
        if row == MOST_IN_A_ROW:
            return str(trial.user_attrs[ATTRIBUTE])
    return ""
