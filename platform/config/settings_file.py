"""The resolved settings as YAML: stored with each experiment, and in the form that `--config` reads back."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from platform.config.automatic import AUTO
from platform.config.configuration import Configuration, Plan, to_dict
from platform.config.presets import preset
from platform.errors import UserError
from platform.files.json_files import parse_own_json
from platform.files.yaml_files import read_yaml
from platform.models import load_method
from platform.models.options.fields import LATER

SEARCH_FIELDS = (
    "selection_rule", "space", "trials", "trials_in_flight", "rounds", "pruning", "asynchronous", "sampler",
    "objectives", "storage", "tune_baselines", "fixed", "enqueued",
)  # fmt: skip
"""Fields of the plan that only a search reads."""
PRESET, PLUGINS, CLASSES = "preset", "plugins", "classes"
FILE_KEYS = (PRESET, PLUGINS, CLASSES)
"""Keys of a settings file beside the settings: the preset that it starts from; methods that are files of
their own, with their SHA-256; the classes for which the settings were chosen."""


def show(configuration: Configuration, plan: Plan) -> str:
    """The resolved settings as YAML text, as config.yaml of an experiment holds them."""
    import yaml

    text: str = yaml.safe_dump({**to_dict(plan), **to_dict(configuration)}, sort_keys=False)
    return text


def settings_yaml(
    configuration: Configuration,
    plan: Plan,
    *,
    without: Collection[str] = (),
    classes: Sequence[str] = (),
    automatic: Collection[str] = (),
) -> str:
    """YAML text from which `--config` reads the same settings. It names the preset and any plug-ins.

    without: fields of the plan that are left out. classes: for which the configuration was chosen. automatic:
    settings that are still `auto`.
    """
    import yaml

    plugins = _plugins((configuration.method, *plan.baselines))
    settings = {**to_dict(plan), **to_dict(configuration), **dict.fromkeys(automatic, AUTO)}
    if plan.methods:
        settings["methods"] = parse_own_json(plan.methods.encode(), "the field methods")
    usual = preset(plan.preset, configuration.method)
    later = {name: value for name, value in _later(plan, configuration).items() if name in usual}
    text: str = yaml.safe_dump(
        {
            PRESET: plan.preset,
            **({PLUGINS: plugins} if plugins else {}),
            **({CLASSES: list(classes)} if classes else {}),
            **{name: value for name, value in {**later, **settings}.items() if name not in without},
        },
        sort_keys=False,
    )
    return text


def _later(*settings: Any) -> dict[str, Any]:
    """Defaults of the fields that stored settings omit while they have them."""
    return {
        field.name: list(field.default) if isinstance(field.default, tuple) else field.default
        for one in settings
        for field in dataclasses.fields(one)
        if LATER in field.metadata
    }


def _plugins(methods: Sequence[str]) -> dict[str, str]:
    """Those of the methods that are files of their own, with the SHA-256 of the file."""
    known = {name: load_method(name).plugin for name in dict.fromkeys(methods)}
    return {name: plugin.sha256 for name, plugin in known.items() if plugin is not None}


def stored_settings(path: Path) -> dict[str, Any]:
    """The settings that `show` wrote to a file, as plain YAML values. UserError: unreadable, damaged."""
    remedy = f"restore it, or pass another --name; without {path.parent} the experiment starts from scratch."
    content = read_yaml(path, remedy=remedy)
    if not isinstance(content, dict):
        raise UserError(f"{path} must map settings to values, but holds {type(content).__name__}; {remedy}")
    return content
