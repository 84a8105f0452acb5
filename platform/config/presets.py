"""Presets: named starting points. Flags and YAML files change them.

A preset has two parts: the options, which the method declares, and what it says of the plan.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from platform.config.configuration import Configuration, Plan, option_names
from platform.config.settings_source import SettingsSource
from platform.errors import unknown_name
from platform.files.json_files import parse_own_json
from platform.models import load_method
from platform.models.options.fields import shared_fields

PLANS: dict[str, dict[str, Any]] = {
    "quick": {
        "holdout_share": 0.25,
        "trials": 5,
        # Two: a round of three fold runs leaves one of two slots idle for the other trial.
        "trials_in_flight": 2,
    },
    "smoke": {"holdout_share": 0.25, "trials": 3, "trials_in_flight": 2},
}
"""Preset to fields of the plan; a preset that is not among them is of the paper's size."""
PAPER_SIZE = {"seeds": 3}
"""Fields of the plan of all other presets, those of own methods among them: whoever trains for hours wants to
know what of a difference is the seed. Otherwise the plan has its defaults."""


def preset_names(method: str = "fmpn") -> tuple[str, ...]:
    """Names of a method's presets, in the method's order."""
    return tuple(load_method(method).presets)


def preset(name: str, method: str = "fmpn") -> dict[str, Any]:
    """Options of the method and fields of the plan to values; those absent keep their defaults.

    UserError: an unknown method, or a preset that the method does not have.
    """
    known = load_method(method)
    if name not in known.presets:
        raise unknown_name(f"preset of the method {method}", name, known.presets)
    return {"space": known.space, **PLANS.get(name, PAPER_SIZE), **known.presets[name]}


def with_method(configuration: Configuration, method: str, plan: Plan) -> Configuration:
    """The configuration of another method that is compared with `configuration`.

    Options of groups that both methods mix in are those of `configuration`; the others are those of the
    method's own preset `plan.preset`. What `plan.methods` says of the method overrides either. UserError: the
    method has no such preset or option.
    """
    if method == configuration.method:
        return configuration
    kind = load_method(method).options
    names = {field.name for field in dataclasses.fields(kind)}
    shared = shared_fields(type(configuration), kind) - {"method"}
    values = {**{name: getattr(configuration, name) for name in shared}, **given_options(plan, method)}
    lacking = names - values.keys() - {"method"}
    own = preset(plan.preset, method) if lacking else {}
    return kind(method=method, **{name: own[name] for name in lacking & own.keys()}, **values)


def source_of_baseline(configuration: Configuration, method: str, plan: Plan, whose: str) -> SettingsSource:
    """Where `with_method` takes the settings from; `whose`: those of `configuration`."""
    names = set(option_names(method)) - {"method"}
    given = given_options(plan, method)
    lacking = names - shared_fields(type(configuration), load_method(method).options) - given.keys()
    return SettingsSource(whose=whose, preset=plan.preset if lacking else "", given=tuple(sorted(given)))


def given_options(plan: Plan, method: str) -> Mapping[str, Any]:
    """What `plan.methods` says of a baseline's options. UserError: an option that the method lacks."""
    every = parse_own_json(plan.methods.encode(), "the field methods") if plan.methods else {}
    given: dict[str, Any] = every.get(method, {})
    names = {field.name for field in dataclasses.fields(load_method(method).options)} - {"method"}
    for name in given.keys() - names:
        raise unknown_name(f"option of the method {method}", name, names)
    return given
