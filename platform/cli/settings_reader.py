"""The file of `--config`: names of settings and values, checked for the method that is asked for."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platform.config.configuration import Plan
from platform.config.settings_file import CLASSES, FILE_KEYS, PLUGINS, PRESET
from platform.errors import UserError, unknown_name
from platform.files import yaml_files
from platform.files.addresses import refuse_address
from platform.files.json_files import parse_own_json
from platform.models import load_method, own_method_names
from platform.models.options.fields import type_hints
from platform.models.plugins import plugin_method, plugin_names


def flag_of(name: str) -> str:
    """`--lambda-mask` for the setting `lambda_mask`."""
    return "--" + name.replace("_", "-")


def setting_types(method: str) -> dict[str, Any]:
    """Field names to types, of the plan and of the method's options."""
    kinds = (load_method(method).options, Plan)
    return {field.name: type_hints(kind)[field.name] for kind in kinds for field in dataclasses.fields(kind)}


def options_elsewhere(method: str) -> dict[str, str]:
    """Flags of options that `method` lacks, to the methods that have them, between commas."""
    own = {field.name for field in dataclasses.fields(load_method(method).options)}
    having: dict[str, list[str]] = {}
    for other in own_method_names():
        for field in dataclasses.fields(load_method(other).options):
            if field.name not in own:
                having.setdefault(field.name, []).append(other)
    return {flag_of(name): ", ".join(methods) for name, methods in having.items()}


def read_settings(path: Path, method: str) -> dict[str, Any]:
    """Field names to values from a YAML file, for that method.

    An option that only other methods have is accepted where it has the value of one of their presets, which
    says nothing new: earlier versions stored the options of all methods. UserError: unreadable, not a
    mapping, an unknown key, another option that the method lacks, a plug-in that is absent or another.
    """
    content = yaml_files.read_yaml(path, remedy="check --config.")
    if not isinstance(content, dict):
        raise UserError(f"{path} must map field names to values, but holds {type(content).__name__}.")
    check_plugins(content, path, method)
    hints = {name: hint for name, hint in setting_types(method).items() if name not in FILE_KEYS}
    elsewhere = options_elsewhere(method)
    for name in content:
        if name not in (*hints, *FILE_KEYS) and flag_of(str(name)) not in elsewhere:
            raise unknown_name(f"key in {path}", str(name), (*hints, *FILE_KEYS))
    own = {name: value for name, value in content.items() if name in hints}
    _refuse_addresses(own, path)
    for name in content.keys() - own.keys() - set(FILE_KEYS):
        others = elsewhere[flag_of(name)].split(", ")
        if all(content[name] not in _usual(other, name) for other in others):
            raise UserError(
                f"{name} in {path} is an option of {', '.join(others)}, but the method is {method}; remove "
                f"it, or put it under `methods: {{{others[0]}: ...}}` if that method is a baseline."
            )
    return {name: _yaml_value(name, value, hints[name], path) for name, value in own.items()}


def preset_of(path: Path) -> str | None:
    """The preset that a settings file starts from; None if it names none. UserError: not a name."""
    name = _mapping(path).get(PRESET)
    if name is not None and not isinstance(name, str):
        raise UserError(f"{PRESET} in {path} must be a name, but got {name!r}; correct it.")
    return name


def classes_of(path: Path) -> tuple[str, ...]:
    """The classes for which a settings file was chosen; empty if it names none. UserError: no names."""
    names = _mapping(path).get(CLASSES, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{CLASSES} in {path} must be a list of names, but got {names!r}; correct it.")
    return tuple(names)


def _mapping(path: Path) -> dict[Any, Any]:
    content = yaml_files.read_yaml(path, remedy="check --config.") if path.is_file() else None
    return content if isinstance(content, dict) else {}  # `read_settings` reports any other


def check_plugins(content: Mapping[Any, Any], path: Path, method: str) -> None:
    """UserError unless every plug-in that the file names was given by flag, with the same SHA-256.

    A file never loads one, because that would run the code of whoever wrote the file. method: that of the
    command, for the message.
    """
    named = content.get(PLUGINS, {})
    if not isinstance(named, Mapping):
        raise UserError(
            f"{PLUGINS} in {path} must map methods to the SHA-256 of their files, but got {named!r}."
        )
    for name, sha256 in named.items():
        if name not in plugin_names():
            raise UserError(
                f"{path} was written for the method {name}, a file of its own (SHA-256 {sha256}), which only "
                f"a flag can load, but the method is {method}; pass --method FOLDER/{name}.py too, or "
                "--plugins FOLDER if it is a baseline."
            )
        plugin = plugin_method(str(name)).plugin
        if plugin.sha256 != sha256:
            raise UserError(
                f"{path} was written for the method {name} with SHA-256 {sha256}, but {plugin.place} has "
                f"{plugin.sha256}; pass the file of then, or remove {name} from {PLUGINS} in {path} to train "
                "today's."
            )


def _refuse_addresses(settings: Mapping[str, Any], path: Path) -> None:
    """UserError if a setting other than the storage of studies has an address in a path's place."""
    for name, value in settings.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, str) and name != "storage":
                refuse_address(part, f"{name} in {path}")


def _usual(method: str, name: str) -> list[Any]:
    """The values that the method's presets give its option."""
    known = load_method(method)
    default = getattr(known.options, name)
    return [default, *(chosen.get(name, default) for chosen in known.presets.values())]


def _yaml_value(name: str, value: Any, hint: Any, path: Path) -> Any:
    """A list as a tuple; `1e-4`, which YAML 1.1 reads as text because it has no point, as a number."""
    if name == "methods":
        return _baseline_options(value, path)
    if isinstance(value, list):
        return tuple(value)
    if hint is float and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value  # the configuration rejects it and names the field
    return value


def _baseline_options(value: Any, path: Path) -> str:
    """`methods` of a YAML file as the plan's JSON. UserError: another form, an unknown method or option."""
    if isinstance(value, str):  # as a stored config.yaml has it
        value = parse_own_json(value.encode(), f"methods in {path}")
    if not isinstance(value, Mapping) or not all(isinstance(one, Mapping) for one in value.values()):
        raise UserError(f"methods in {path} must map methods to their options, but got {value!r}.")
    made: dict[str, dict[str, Any]] = {}
    for method, options in value.items():
        kind = load_method(str(method)).options
        hints = {field.name: type_hints(kind)[field.name] for field in dataclasses.fields(kind)}
        for name in options:
            if name not in hints or name == "method":
                raise unknown_name(f"option of the method {method} in {path}", str(name), hints)
        made[method] = {
            name: _yaml_value(name, one, hints[name], path) for name, one in sorted(options.items())
        }
    return json.dumps(made, sort_keys=True)
