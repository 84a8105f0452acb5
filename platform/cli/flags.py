"""Flags and YAML keys from the dataclasses of `platform.config.configuration`: a field is written down once.

Order: flags override the YAML file, which overrides the preset, which overrides the defaults.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import functools
import inspect
import itertools
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datasets.augmentation.content import augmentation_setting
from platform.cli.known_names import known_names
from platform.config import configuration as config
from platform.config.configuration import Configuration, Plan
from platform.config.presets import PRESETS, preset
from platform.errors import UserError, unknown_name
from platform.files import yaml_files
from platform.search.storage import storage_setting


@functools.cache
def field_help(dataclass_type: type) -> dict[str, str]:
    """Field name to the docstring below it, on one line."""
    tree = ast.parse(inspect.getsource(config))
    body = next(
        n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == dataclass_type.__name__
    )
    texts: dict[str, str] = {}
    for field, text in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            assert isinstance(field.target, ast.Name)
            texts[field.target.id] = " ".join(str(text.value.value).split())
    return texts


def add_settings(parser: argparse.ArgumentParser, *, without: Iterable[str] = ()) -> None:
    """Add `--preset`, `--config` and a flag for every field but those in `without`."""
    parser.add_argument(
        "--preset", default="quick", help=f"starting point: {', '.join(PRESETS)} (default: quick)"
    )
    parser.add_argument(
        "--config", metavar="FILE", help="YAML file of field names and values; flags override it"
    )
    for title, kind in (
        ("plan: which fold runs, and where", Plan),
        ("configuration of a fold run", Configuration),
    ):
        group = parser.add_argument_group(title)
        hints = typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            if field.name in without:
                continue
            group.add_argument(
                "--" + field.name.replace("_", "-"),
                dest=field.name,
                metavar=_metavar(hints[field.name]),
                default=None,
                help=(field_help(kind)[field.name] + known_names(field.name)).replace("%", "%%"),
            )


def _metavar(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return "|".join(typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return "A,B,..."
    names = {int: "N", float: "X", bool: "yes|no", str: "NAME"}
    return names[hint]


def resolve(arguments: argparse.Namespace, **forced: Any) -> tuple[Configuration, Plan]:
    """The settings that the flags, the YAML file and the preset together give, checked.

    `forced` values come last: what the command itself decides.
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
    """A list as a tuple; `1e-4`, which YAML 1.1 takes for text because it has no point, as a number."""
    if isinstance(value, list):
        return tuple(value)
    if hint is float and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value  # the configuration refuses it by name
    return value


def parse_value(name: str, text: str, hint: Any) -> Any:
    """A flag's text as its field's type. UserError when it is not one."""
    flag = "--" + name.replace("_", "-")
    try:
        if typing.get_origin(hint) is tuple:
            item = typing.get_args(hint)[0]
            return tuple(item(part) for part in text.split(",") if part)
        if hint is bool:
            return {"yes": True, "true": True, "no": False, "false": False}[text.lower()]
        return hint(text) if hint in (int, float) else text
    except (ValueError, KeyError) as error:
        raise UserError(f"{flag} takes {_metavar(hint)}, but got {text!r}.") from error
