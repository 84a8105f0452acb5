"""The chosen configuration of an experiment: where it came from, and what departs from the preset."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from platform.config.net_name import NO_OVERRIDE, setting_text
from platform.config.presets import preset, preset_names
from platform.experiments.experiment_file import studies_of
from platform.models import load_method, method_names

UNKNOWN = "–"
"""Shown for the preset's value of an option that this version does not know."""


@dataclass(frozen=True, kw_only=True)
class ChosenConfiguration:
    """One configuration whose final fold runs the experiment's table shows."""

    title: str
    """The method, and under the rule `nested` the fold."""
    origin: str
    """`trial 3 of 5 of the search NAME`, or that it was given."""
    departures: tuple[tuple[str, str, str], ...]
    """Option, value, and the preset's value, for every option that departs from the preset."""


def chosen_configurations(experiment: Mapping[str, Any]) -> list[ChosenConfiguration]:
    """The configuration that each study chose; without a search the one that was given.

    experiment: content of experiment.json. A baseline's study is shown by the parameters that it tried.
    """
    config, method = experiment.get("config", {}), experiment.get("config", {}).get("method", "fmpn")
    studies = studies_of(experiment)
    if not studies:
        departures = _departures(config, experiment["preset"], method)
        return [
            ChosenConfiguration(title=_title(method), origin="given, not searched", departures=departures)
        ]
    folds = len({tuple(study.get("outer_folds", ())) for study in studies}) > 1
    found = []
    for study in studies:
        own = study.get("method", method)
        trial = next(one for one in study["trials"] if one["number"] == study["winner"])
        options = {**(config if own == method else {}), **trial["params"]}
        fold = f", fold {study['outer_folds'][0]}" if folds else ""
        found.append(
            ChosenConfiguration(
                title=_title(own) + fold,
                origin=f"trial {study['winner']} of {len(study['trials'])} of the search {study['name']}",
                departures=_departures(options, experiment["preset"], own),
            )
        )
    return found


def _title(method: str) -> str:
    return load_method(method).title if method in method_names() else method


def _departures(
    options: Mapping[str, Any], preset_name: str, method: str
) -> tuple[tuple[str, str, str], ...]:
    """Options whose value is not the preset's; the seed, which every table states, is left out."""
    usual: dict[str, Any] = {}
    names = list(options)
    if method in method_names() and preset_name in preset_names(method):
        fields = dataclasses.fields(load_method(method).options)
        usual = {**{field.name: field.default for field in fields}, **preset(preset_name, method)}
        names = [field.name for field in fields if field.name in options]
    shown = [name for name in names if name not in NO_OVERRIDE and isinstance(name, str)]
    return tuple(
        (name, setting_text(options[name]), setting_text(usual[name]) if name in usual else UNKNOWN)
        for name in shown
        if name not in usual or options[name] != usual[name]
    )
