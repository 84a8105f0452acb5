"""Definition of a study, and its comparison with the stored one, so that two searches never mix."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna

from platform.config.configuration import Configuration, option_names, replace, to_dict
from platform.errors import UserError
from platform.models import load_method, own_method_names
from platform.models.networks.weights import is_pinned
from platform.models.options.classification import ClassificationNet
from platform.search.enqueued import enqueued_configurations
from platform.search.parameter_values import in_words, is_inside
from platform.search.parameters import (
    GivenTrial,
    SpaceParameters,
    Suggest,
    parse_fixed,
    survey,
    unread_options,
    with_fixed,
)
from platform.search.space_paths import paths, space_settings


@dataclass(frozen=True, kw_only=True)
class SearchDefinition:
    """Name, search space, first configurations and all settings that make trials comparable."""

    name: str
    suggest: Suggest
    first: tuple[Mapping[str, Any], ...]
    """Parameter values that are tried before the search algorithm proposes any."""
    settings: Mapping[str, Any]
    foreign_options: frozenset[str] = frozenset()
    """Keys of options that other methods have."""

    def refuse_other(self, study: optuna.Study) -> None:
        """UserError, with the differences, if the study was created with other settings. Read-only."""
        stored = study.user_attrs.get("definition")
        current = dict(self.settings)
        if stored is not None:
            # Earlier versions stored the options of all methods, of which this one does not read some.
            stored = {k: v for k, v in stored.items() if k in current or k not in self.foreign_options}
        if stored is not None and stored != current:
            changed = sorted(k for k in stored.keys() | current.keys() if stored.get(k) != current.get(k))
            shown = "; ".join(f"{k} was {stored.get(k)!r} and is now {current.get(k)!r}" for k in changed)
            raise UserError(
                f"the study {self.name} was created with other settings ({shown}); pass a new --name, or the "
                f"settings that it was created with."
            )

    def check(self, study: optuna.Study) -> None:
        """Store the definition in a new study. UserError as `refuse_other`."""
        self.refuse_other(study)
        if "definition" not in study.user_attrs:
            study.set_user_attr("definition", dict(self.settings))
        if len(study.get_trials(deepcopy=False)) < len(self.first):
            with warnings.catch_warnings():
                # Experimental in Optuna. It makes this safe to repeat after a restart.
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                for parameters in self.first:
                    study.enqueue_trial(dict(parameters), skip_if_exists=True)


def definition_of_space(
    space_name: str,
    base: Configuration,
    *,
    name: str = "",
    settings: Mapping[str, Any] | None = None,
    fixed: Sequence[str] = (),
    enqueued: str = "",
    enqueued_from: str = "the enqueued configurations",
) -> SearchDefinition:
    """The definition of a search of the named space around `base`.

    Parameters in `fixed` (`parameter=value`) are not searched. `enqueued` configurations (JSON,
    platform/search/enqueued.py) are tried after the space's own first configurations; error messages call
    them `enqueued_from`.

    UserError: an unknown or invalid space; a space that searches what the base rules out or the method does
    not read; unknown or invalid `fixed` or `enqueued` values; no free parameter left; a first configuration
    that is invalid or lies outside the space.
    """
    from search_spaces import load_space

    space = load_space(space_name)
    parameters = survey(space_name, space.suggest, base.method)
    values = parse_fixed(fixed, parameters)
    _check_base(base, parameters, values)
    suggest = with_fixed(space.suggest, values)
    _check_free(space_name, suggest, values)
    known = {**to_dict(base), **{name: value for name, value in values.items() if name in to_dict(base)}}
    first = _with_fixed_values(space.first(known), values, suggest)
    own = enqueued_configurations(enqueued, suggest, parameters, fixed=values, source=enqueued_from)
    definition = SearchDefinition(
        name=name,
        suggest=suggest,
        first=tuple(_without_repetitions([*first, *own])),
        settings={**(settings or {}), **space_settings(suggest)},
        foreign_options=_foreign_options(base.method),
    )
    check_first(definition, base, fixed)
    return definition


def _foreign_options(method: str) -> frozenset[str]:
    elsewhere = {name for other in own_method_names() for name in option_names(other)}
    return frozenset(f"base.{name}" for name in elsewhere - set(option_names(method)))


def _check_base(base: Configuration, parameters: SpaceParameters, fixed: Mapping[str, Any]) -> None:
    """UserError if the space searches parameters that have no effect or that `base` rules out."""
    given = isinstance(base, ClassificationNet) and is_pinned(base.weights)
    if given and "backbone" in parameters.distributions.keys() - fixed.keys():
        net = load_method(base.method).net(base)
        raise UserError(
            f"--weights FILE fits {net} only, but the search space chooses among backbones; pass "
            f"--weights imagenet or none, or --fix backbone={net}."
        )
    unread = sorted(parameters.fields & load_method(base.method).unread(base))
    if unread:
        raise unread_options(parameters.space, unread, base.method)


def _check_free(space_name: str, suggest: Suggest, fixed: Mapping[str, Any]) -> None:
    """UserError if all trials would be equal: the space then has a single path and no free value."""
    path = next(paths(suggest))
    if not all(distribution.single() for distribution in path.distributions.values()):
        return
    why = (
        f"--fix fixes {', '.join(sorted(fixed))}" if fixed else "it has no parameter with more than one value"
    )
    raise UserError(
        f"a search needs a parameter to search, but the space {space_name} leaves none: {why}; "
        f"{'drop a --fix' if fixed else 'pass another --space'}, or run this one configuration with "
        "python -m platform.crossval."
    )


def _with_fixed_values(
    first: Sequence[Mapping[str, Any]], fixed: Mapping[str, Any], suggest: Suggest
) -> list[dict[str, Any]]:
    """A space's first configurations without the fixed parameters, which the space no longer asks for.

    A configuration with another value of a fixed choice is dropped if the fixed value makes it incomplete.
    """
    kept: list[dict[str, Any]] = []
    for values in first:
        left = {name: value for name, value in values.items() if name not in fixed}
        trial = GivenTrial(left)
        suggest(trial)  # type: ignore[arg-type]
        contradicts = any(values[name] != fixed[name] for name in values.keys() & fixed.keys())
        if trial.problems and contradicts and kept:
            continue
        kept.append({name: value for name, value in left.items() if name in trial.asked} if fixed else left)
    return kept


def _without_repetitions(configurations: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    kept: list[Mapping[str, Any]] = []
    for values in configurations:
        if values not in kept:
            kept.append(values)
    return kept


def check_first(
    definition: SearchDefinition, base: Configuration | None = None, fixed: Sequence[str] = ()
) -> None:
    """UserError if a first configuration lies outside the space; Optuna would only warn.

    With a `base`, also if the resulting configuration is invalid; the message then names `fixed`.
    """
    for parameters in definition.first:
        trial = GivenTrial(parameters)
        overrides = definition.suggest(trial)  # type: ignore[arg-type]
        unasked = [f"{name} is not a parameter of it" for name in parameters.keys() - trial.asked.keys()]
        if trial.problems or unasked:
            problems = "; ".join([*trial.problems, *unasked])
            raise UserError(
                f"the first configuration {dict(parameters)} is outside the search space ({problems}); "
                f"{_remedies(trial, parameters, base)}."
            )
        if base is not None:
            _check_valid(base, overrides, fixed)


def _remedies(trial: GivenTrial, parameters: Mapping[str, Any], base: Configuration | None) -> str:
    """How to bring a first configuration into the space: flags for the values taken from the base."""
    values = to_dict(base) if base is not None else {}
    flags = [
        f"--{name.replace('_', '-')} with {in_words(distribution)}"
        for name, distribution in trial.distributions.items()
        if name in parameters and parameters[name] == values.get(name)
        if not is_inside(parameters[name], distribution)
    ]
    missing = [name for name in trial.distributions if name not in parameters]
    return ", ".join(
        [
            *([f"pass {' and '.join(flags)}"] if flags else []),
            *([f"have the space's first(base) return {', '.join(missing)}"] if missing else []),
            "choose a --space that suits this preset, or other initial values",
        ]
    )


def _check_valid(base: Configuration, overrides: Mapping[str, Any], fixed: Sequence[str]) -> None:
    try:
        replace(base, **overrides)
    except UserError as error:
        whose = f"--fix {' --fix '.join(fixed)}" if fixed else "the search space"
        raise UserError(f"{whose} produces an invalid configuration: {error}") from error
