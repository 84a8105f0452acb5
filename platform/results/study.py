"""What a study is about, and the refusal to mix two searches in one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import optuna

from platform.config import Configuration, to_dict
from platform.errors import UserError


@dataclass(frozen=True, kw_only=True)
class SearchDefinition:
    """Name, space, first configurations and all settings that make trials comparable."""

    name: str
    suggest: Callable[[optuna.Trial], dict[str, Any]]
    first: tuple[Mapping[str, Any], ...]
    """Parameter values that are tried before the sampler proposes any."""
    settings: Mapping[str, Any]

    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """TPE, fresh for each proposal."""
        return optuna.samplers.TPESampler(seed=seed)

    def check(self, study: optuna.Study) -> None:
        """Write the definition into a new study; refuse one that was made with other settings.

        UserError names what differs.
        """
        stored = study.user_attrs.get("definition")
        current = dict(self.settings)
        if stored is not None and stored != current:
            changed = sorted(k for k in stored.keys() | current.keys() if stored.get(k) != current.get(k))
            shown = "; ".join(f"{k} was {stored.get(k)!r} and is now {current.get(k)!r}" for k in changed)
            raise UserError(
                f"the study {self.name} was made with other settings ({shown}); pass --name with a new name, "
                f"or the settings it was made with."
            )
        if stored is None:
            study.set_user_attr("definition", current)
        if len(study.get_trials(deepcopy=False)) < len(self.first):
            with warnings.catch_warnings():
                # Optuna calls `skip_if_exists` experimental; it is what makes this restartable.
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                for parameters in self.first:
                    study.enqueue_trial(dict(parameters), skip_if_exists=True)


def definition_of_space(
    space_name: str, base: Configuration, *, name: str = "", settings: Mapping[str, Any] | None = None
) -> SearchDefinition:
    """The definition of a search of that space around `base`.

    UserError: unknown space, or a first configuration outside it.
    """
    from search_spaces import load_space

    space = load_space(space_name)
    definition = SearchDefinition(
        name=name, suggest=space.suggest, first=tuple(space.first(to_dict(base))), settings=settings or {}
    )
    check_first(definition)
    return definition


def check_first(definition: SearchDefinition) -> None:
    """UserError when a first configuration lies outside the space: Optuna would only warn."""
    for parameters in definition.first:
        fixed = optuna.trial.FixedTrial(dict(parameters))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                definition.suggest(fixed)  # type: ignore[arg-type]
            except (ValueError, UserWarning) as error:
                raise UserError(
                    f"the first configuration {dict(parameters)} is outside the search space ({error}); "
                    f"choose a --space made for this preset, or other starting values."
                ) from error
