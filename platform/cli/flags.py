"""Flags and YAML keys made from dataclasses, so that a setting is declared once.

Flags override the YAML file, which overrides the preset, which overrides the defaults.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import functools
import inspect
import itertools
import textwrap
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datasets.augmentation.content import augmentation_setting
from platform.cli.known_names import known_names
from platform.config.configuration import Configuration, Plan
from platform.config.net_name import setting_text
from platform.config.presets import PRESETS, preset
from platform.errors import UserError, unknown_name
from platform.files import yaml_files
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
        if dataclasses.is_dataclass(kind):
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


def add_settings(parser: argparse.ArgumentParser, *, without: Iterable[str] = ()) -> None:
    """Add `--preset`, `--config` and a flag for every field of Plan and Configuration but `without`."""
    parser.add_argument(
        "--preset", default="quick", help=f"starting point: {', '.join(PRESETS)} (default: quick)"
    )
    parser.add_argument(
        "--config", metavar="FILE", help="YAML file of field names and values; flags override it"
    )
    add_fields(parser, Plan, "plan: which fold runs, and where", without=without)
    add_fields(parser, Configuration, "configuration of a fold run", without=without)


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
        if field.name not in without:
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
    values: dict[str, Any] = preset(arguments.preset)
    if arguments.config:
        values.update(read_yaml(Path(arguments.config)))
    hints = {**typing.get_type_hints(Configuration), **typing.get_type_hints(Plan)}
    for name, hint in hints.items():
        text = getattr(arguments, name, None)
        if text is not None:
            values[name] = parse_value(name, text, hint)
    values.update(forced)
    for name in ("augmentation", "stage2_augmentation"):
        if values.get(name, "same") != "same":
            values[name] = augmentation_setting(values[name])
    if "storage" in values:
        values["storage"] = storage_setting(str(values["storage"]))
    return (
        Configuration(**_fields_of(Configuration, values)),
        Plan(**_fields_of(Plan, values)),
    )


def is_named(arguments: argparse.Namespace, field: str) -> bool:
    """Whether a flag or the YAML file gives the field, and not the preset alone."""
    in_file = bool(arguments.config) and field in read_yaml(Path(arguments.config))
    return in_file or getattr(arguments, field, None) is not None


def departures(arguments: argparse.Namespace, configuration: Configuration, plan: Plan) -> list[str]:
    """Settings that depart from the preset, as `name value`, in the order of plan and configuration.

    A field that commands set themselves (DECIDED) is listed only if a flag or the file gives it.
    """
    base = preset(arguments.preset)
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


def read_yaml(path: Path) -> dict[str, Any]:
    """Field names to values from a YAML file. UserError: unreadable, not a mapping, an unknown key."""
    content = yaml_files.read_yaml(path, remedy="check --config.")
    if not isinstance(content, dict):
        raise UserError(f"{path} must map field names to values, but holds {type(content).__name__}.")
    hints = {**typing.get_type_hints(Configuration), **typing.get_type_hints(Plan)}
    for name in content:
        if name not in hints:
            raise unknown_name(f"key in {path}", str(name), hints)
    return {name: _yaml_value(value, hints[name]) for name, value in content.items()}


def _yaml_value(value: Any, hint: Any) -> Any:
    """A list as a tuple; `1e-4`, which YAML 1.1 reads as text because it has no point, as a number."""
    if isinstance(value, list):
        return tuple(value)
    if hint is float and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value  # the configuration rejects it and names the field
    return value


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
