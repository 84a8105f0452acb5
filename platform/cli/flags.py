"""Flags and YAML keys made from dataclasses, so that a setting is declared once.

The options are those of the method that `--method` or the YAML file names. Flags override the YAML file,
which overrides the preset, which overrides the defaults.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import functools
import inspect
import itertools
import json
import textwrap
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets.augmentation.content import augmentation_setting
from platform.cli.asked_method import asked_method
from platform.cli.known_names import known_names
from platform.config.configuration import Configuration, Plan, configuration_of
from platform.config.net_name import setting_text
from platform.config.presets import preset, preset_names
from platform.errors import UserError, unknown_name
from platform.files import yaml_files
from platform.files.json_files import parse_own_json
from platform.models import load_method, own_method_names
from platform.models.options.fields import type_hints
from platform.search.storage import storage_setting

DECIDED = ("selection_rule", "rounds", "transfer_to")
"""Fields of the plan that commands set themselves or derive from others."""


@functools.cache
def field_help(dataclass_type: type) -> dict[str, str]:
    """Field name to the docstring below the field, on one line, in the order of the fields.

    A field without a docstring takes the one of the nearest base that has it; without any it is absent.
    """
    texts: dict[str, str] = {}
    for kind in reversed(dataclass_type.__mro__):
        if dataclasses.is_dataclass(kind) and inspect.get_annotations(kind):
            texts.update(_texts_below_fields(kind))
    names = [field.name for field in dataclasses.fields(dataclass_type)]
    return {name: texts[name] for name in names if name in texts}


def _texts_below_fields(kind: type) -> dict[str, str]:
    """The docstrings below the fields that the class itself declares."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    return {
        field.target.id: " ".join(str(text.value.value).split())
        for field, text in itertools.pairwise(tree.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def add_settings(
    parser: argparse.ArgumentParser, argv: Sequence[str], *, without: Iterable[str] = ()
) -> None:
    """Add `--preset`, `--config` and a flag for every field of Plan and of the method's options.

    argv: the arguments, of which those that name the method are read now. `without`: fields without a flag.
    UserError: an unknown method, or a plug-in that cannot be loaded.
    """
    method = asked_method(argv)
    parser.add_argument(
        "--preset",
        default="quick",
        help=f"starting point: {', '.join(preset_names(method))} (default: quick)",
    )
    parser.add_argument(
        "--config", metavar="FILE", help="YAML file of field names and values; flags override it"
    )
    parser.set_defaults(options_of=method)
    add_fields(parser, Plan, "plan: which fold runs, and where", without=(*without, "preset", "methods"))
    _check_own_options(method, parser)
    title = f"configuration of a fold run of the method {method}"
    add_fields(parser, load_method(method).options, title, without=without)


def _check_own_options(method: str, parser: argparse.ArgumentParser) -> None:
    """UserError: an option of a plug-in without a help text, or with the name of a setting or flag."""
    known = load_method(method)
    if known.plugin is None:
        return
    flags = {word for action in parser._actions for word in action.option_strings}
    taken = {field.name for field in dataclasses.fields(Plan)}
    kind: Any = known.options
    texts = field_help(kind)
    for field in dataclasses.fields(known.options):
        if field.name in taken or (_flag(field.name) in flags and field.name != "method"):
            raise UserError(
                f"an option must not have the name of a setting of every command, but {known.plugin.place} "
                f"has the option {field.name}; rename it."
            )
        if field.name not in texts:
            raise UserError(
                f"every option must have a text below it, which becomes its help, but {field.name} in "
                f"{known.plugin.place} has none; add it."
            )


def options_elsewhere(method: str) -> dict[str, str]:
    """Flags of options that `method` lacks, to the methods that have them, between commas."""
    own = {field.name for field in dataclasses.fields(load_method(method).options)}
    having: dict[str, list[str]] = {}
    for other in own_method_names():
        for field in dataclasses.fields(load_method(other).options):
            if field.name not in own:
                having.setdefault(field.name, []).append(other)
    return {_flag(name): ", ".join(methods) for name, methods in having.items()}


def add_fields(
    parser: argparse.ArgumentParser, dataclass_type: type, title: str, *, without: Iterable[str] = ()
) -> None:
    """Add a group of flags, one for every field of a dataclass and of its bases but `without`.

    A flag that is not given is None, so that the preset or a file can give the value. Every field needs a
    docstring below it, which becomes the help, and one of the types that `parse_value` reads.
    """
    group = parser.add_argument_group(title)
    hints, texts = typing.get_type_hints(dataclass_type), field_help(dataclass_type)
    for field in dataclasses.fields(dataclass_type):
        if field.name not in set(without):
            group.add_argument(
                _flag(field.name),
                dest=field.name,
                metavar=_metavar(hints[field.name]),
                default=None,
                help=(texts[field.name] + known_names(field.name)).replace("%", "%%"),
            )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _metavar(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return "|".join(typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return "A,B,..."
    names = {int: "N", float: "X", bool: "yes|no", str: "NAME"}
    return names[hint]


def resolve(arguments: argparse.Namespace, **forced: Any) -> tuple[Configuration, Plan]:
    """The settings that flags, YAML file and preset give together, checked.

    forced: values that the command itself sets; they override all others.
    """
    method: str = arguments.options_of
    values: dict[str, Any] = preset(arguments.preset, method)
    values.update(_file_of(arguments))
    for name, hint in _hints(method).items():
        text = getattr(arguments, name, None)
        if text is not None:
            values[name] = parse_value(name, text, hint)
    values.update(forced, method=method, preset=arguments.preset)
    for name in ("augmentation", "stage2_augmentation"):
        if values.get(name, "same") != "same":
            values[name] = augmentation_setting(values[name])
    if "storage" in values:
        values["storage"] = storage_setting(str(values["storage"]))
    options = _fields_of(load_method(method).options, values)
    return configuration_of(**options), Plan(**_fields_of(Plan, values))


def _hints(method: str) -> dict[str, Any]:
    """Field names to types, of the plan and of the method's options."""
    kinds = (load_method(method).options, Plan)
    return {field.name: type_hints(kind)[field.name] for kind in kinds for field in dataclasses.fields(kind)}


def is_named(arguments: argparse.Namespace, field: str) -> bool:
    """Whether a flag or the YAML file gives the field, and not the preset alone."""
    return getattr(arguments, field, None) is not None or field in _file_of(arguments)


def _file_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the file of `--config` says; empty without one."""
    if not arguments.config:
        return {}
    return read_yaml(Path(arguments.config), arguments.options_of)


def departures(arguments: argparse.Namespace, configuration: Configuration, plan: Plan) -> list[str]:
    """Settings that depart from the preset, as `name value`, in the order of plan and configuration.

    A field that commands set themselves (DECIDED) is listed only if a flag or the file gives it.
    """
    base = {**preset(arguments.preset, configuration.method), "method": "fmpn", "preset": plan.preset}
    found = []
    for settings in (plan, configuration):
        for field in dataclasses.fields(settings):
            value, usual = getattr(settings, field.name), base.get(field.name, field.default)
            if value != usual and (field.name not in DECIDED or is_named(arguments, field.name)):
                found.append(f"{field.name} {setting_text(value)}")
    return found


def _fields_of(kind: type, values: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def read_yaml(path: Path, method: str) -> dict[str, Any]:
    """Field names to values from a YAML file, for that method.

    An option that only other methods have is accepted where it has the value of one of their presets, which
    says nothing new: earlier versions stored the options of all methods. UserError: unreadable, not a
    mapping, an unknown key, another option that the method lacks.
    """
    content = yaml_files.read_yaml(path, remedy="check --config.")
    if not isinstance(content, dict):
        raise UserError(f"{path} must map field names to values, but holds {type(content).__name__}.")
    hints = {name: hint for name, hint in _hints(method).items() if name != "preset"}
    elsewhere = options_elsewhere(method)
    for name in content:
        if name not in hints and _flag(str(name)) not in elsewhere:
            raise unknown_name(f"key in {path}", str(name), hints)
    own = {name: value for name, value in content.items() if name in hints}
    for name in content.keys() - own.keys():
        others = elsewhere[_flag(name)].split(", ")
        if all(content[name] not in _usual(other, name) for other in others):
            raise UserError(
                f"{name} in {path} is an option of {', '.join(others)}, but the method is {method}; remove "
                f"it, or put it under `methods: {{{others[0]}: ...}}` if that method is a baseline."
            )
    return {name: _yaml_value(name, value, hints[name], path) for name, value in own.items()}


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


def parse_value(name: str, text: str, hint: Any) -> Any:
    """A flag's text converted to its field's type. UserError if it cannot be converted."""
    flag = _flag(name)
    try:
        if typing.get_origin(hint) is tuple:
            item = typing.get_args(hint)[0]
            return tuple(item(part) for part in text.split(",") if part)
        if hint is bool:
            return {"yes": True, "true": True, "no": False, "false": False}[text.lower()]
        return hint(text) if hint in (int, float) else text
    except (ValueError, KeyError) as error:
        raise UserError(f"{flag} takes {_metavar(hint)}, but got {text!r}.") from error
