"""An Optuna storage that only the driver leading the study writes to."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

WRITES = (
    "create_new_study", "delete_study", "set_study_user_attr", "set_study_system_attr", "create_new_trial",
    "set_trial_param", "set_trial_state_values", "set_trial_intermediate_value", "set_trial_user_attr",
    "set_trial_system_attr",
)  # fmt: skip
"""The methods of Optuna's BaseStorage that change a study."""


def led_storage(
    storage: optuna.storages.BaseStorage, check: Callable[[], None]
) -> optuna.storages.BaseStorage:
    """A storage for the same studies that calls `check` before every write and passes on what it raises.

    It is Optuna's own object with wrapped methods, because Optuna checks the class of a storage in many
    places and would treat a class of ours differently.
    """
    import optuna

    led = optuna.storages.get_storage(storage)
    for name in WRITES:
        setattr(led, name, _checked(getattr(led, name), check))
    return led


def _checked(write: Callable[..., Any], check: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(write)
    def checked(*arguments: Any, **options: Any) -> Any:
        check()
        return write(*arguments, **options)

    return checked
