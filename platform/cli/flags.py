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
import textwrap
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets.augmentation.content import augmentation_setting
from platform.cli.asked_method import asked_method, asked_preset
from platform.cli.known_names import known_names
from platform.cli.parser import Parser
from platform.cli.settings_reader import flag_of, read_settings, setting_types
from platform.cli.short_help import default_text, rest_of
from platform.cli.usual_flags import MACHINE, PLAN_GROUPS
from platform.config.automatic import AUTO, AUTOMATIC, automatic_by_default
from platform.config.configuration import Configuration, Plan, configuration_of
from platform.config.net_name import setting_text
from platform.config.presets import preset, preset_names
from platform.config.training_seeds import training_seeds
from platform.errors import UserError
from platform.models import load_method
from platform.models.options.fields import group_of
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


NO_FLAG = ("preset", "methods", "fold_list")
"""Fields of the plan that another flag gives, or a file alone."""


def add_settings(
    parser: argparse.ArgumentParser, argv: Sequence[str], *, without: Iterable[str] = ()
) -> None:
    """Add `--preset`, `--config` and a flag for every field of Plan and of the method's options.

    argv: the arguments, of which those that name the method are read now. `without`: fields without a flag.
    UserError: an unknown method, or a plug-in that cannot be loaded.
    """
    method = asked_method(argv)
    asked, options = asked_preset(argv), load_method(method).options
    start = parser.add_argument_group("where settings start")
    start.add_argument(
        "--preset",
        default=asked,
        metavar="NAME",
        help=f"starting point: {', '.join(preset_names(method))} (default: that of --config, or quick)",
    )
    start.add_argument(
        "--config", metavar="FILE", help="YAML file of field names and values; flags override it"
    )
    parser.set_defaults(options_of=method)
    values = preset(asked, method)
    of_plan = {**PLAN_GROUPS, MACHINE: rest_of(_names(Plan), PLAN_GROUPS)}
    for title, names in of_plan.items():
        others = {*without, *NO_FLAG, *set(_names(Plan)).difference(names)}
        add_fields(parser, Plan, title, without=others, preset_name=asked, usual=values)
    _check_own_options(method, parser)
    for title, names in _option_groups(options).items():
        others = {*without, *set(_names(options)).difference(names)}
        add_fields(parser, options, f"{method}: {title}", without=others, preset_name=asked, usual=values)


def _names(kind: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _option_groups(options: type[Configuration]) -> dict[str, list[str]]:
    """Title to the options that one class declares: its docstring's first sentence, or that of a base."""
    groups: dict[str, list[str]] = {}
    for field in dataclasses.fields(options):
        declared = (inspect.getdoc(group_of(options, field.name)) or "options").splitlines()[0]
        groups.setdefault(declared.partition(".")[0].rstrip("."), []).append(field.name)
    return groups


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
        if field.name in taken or (flag_of(field.name) in flags and field.name != "method"):
            raise UserError(
                f"an option must not have the name of a setting of every command, but {known.plugin.place} "
                f"has the option {field.name}; rename it."
            )
        if field.name not in texts:
            raise UserError(
                f"every option must have a text below it, which becomes its help, but {field.name} in "
                f"{known.plugin.place} has none; add it."
            )


def add_fields(
    parser: argparse.ArgumentParser,
    dataclass_type: type,
    title: str,
    *,
    without: Iterable[str] = (),
    preset_name: str = "",
    usual: Mapping[str, Any] | None = None,
) -> None:
    """Add a group of flags, one for every field of a dataclass and of its bases but `without`.

    A flag that is not given is None, so that the preset or a file can give the value. Every field needs a
    docstring below it, which becomes the help, and one of the types that `parse_value` reads. usual: values
    of the preset `preset_name`; with it the help says the default, and the preset's value if it is another.
    """
    wanted = [field for field in dataclasses.fields(dataclass_type) if field.name not in set(without)]
    if not wanted:
        return
    group = parser.add_argument_group(title)
    hints, texts = typing.get_type_hints(dataclass_type), field_help(dataclass_type)
    for field in wanted:
        shown = "" if usual is None else _default_of(field, preset_name, usual)
        text = texts[field.name] + known_names(field.name) + (f" ({shown})" if shown else "")
        group.add_argument(
            flag_of(field.name),
            dest=field.name,
            metavar=_metavar(hints[field.name], field.name),
            default=None,
            help=text.replace("%", "%%"),
        )
        if isinstance(parser, Parser) and shown:
            parser.shown_defaults[flag_of(field.name)] = shown


def _default_of(field: dataclasses.Field[Any], preset_name: str, usual: Mapping[str, Any]) -> str:
    """`default 12, quick: 5`; for the method, which has no default of its own, nothing."""
    if field.default is dataclasses.MISSING:
        return ""
    if field.name in automatic_by_default(preset_name):
        return f"default {AUTO}"
    of_preset = setting_text(usual[field.name]) if field.name in usual else None
    return default_text(setting_text(field.default), preset_name, of_preset)


def _metavar(hint: Any, name: str = "") -> str:
    if name == "folds":
        return "NUMBER|FILE"
    if name in AUTOMATIC:
        return f"{_metavar(hint)}|{AUTO}"
    if typing.get_origin(hint) is typing.Literal:
        return "|".join(typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return "NAMES" if typing.get_args(hint)[0] is str else "NUMBERS"
    names = {int: "NUMBER", float: "NUMBER", bool: "yes|no", str: "NAME"}
    return names[hint]


def _taken(hint: Any, name: str) -> str:
    """What the flag of a setting takes, in words."""
    if name == "folds":
        return "a whole number or a file"
    if name in AUTOMATIC:
        return f"{_taken(hint, '')} or {AUTO}"
    if typing.get_origin(hint) is tuple:
        items = {int: "whole numbers", float: "numbers", str: "names"}
        return f"{items[typing.get_args(hint)[0]]} between commas"
    words = {int: "a whole number", float: "a number", bool: "yes or no"}
    return words.get(hint, "a name")


def resolve(arguments: argparse.Namespace, **forced: Any) -> tuple[Configuration, Plan]:
    """The settings that flags, YAML file and preset give together, checked.

    forced: values that the command itself sets; they override all others. Settings that are `auto`
    (`automatic_settings`) have their defaults until the experiment is planned.
    """
    method: str = arguments.options_of
    values: dict[str, Any] = preset(arguments.preset, method)
    values.update(settings_in_file(arguments))
    for name, hint in setting_types(method).items():
        text = getattr(arguments, name, None)
        if text is not None:
            is_read_later = name == "folds" or (text == AUTO and name in AUTOMATIC)
            values[name] = text if is_read_later else parse_value(name, text, hint)
    for name in automatic_settings(arguments):
        values.pop(name, None)
    _set_folds(values)
    values.update(forced, method=method, preset=arguments.preset)
    for name in ("augmentation", "stage2_augmentation"):
        if values.get(name, "same") != "same":
            values[name] = augmentation_setting(values[name])
    if "storage" in values:
        values["storage"] = storage_setting(str(values["storage"]))
    options = _fields_of(load_method(method).options, values)
    configuration, plan = configuration_of(**options), Plan(**_fields_of(Plan, values))
    training_seeds(configuration.seed, plan.seeds)  # refuses a last seed that is none
    return configuration, plan


def _set_folds(values: dict[str, Any]) -> None:
    """Tell a number of folds, given as text, from the path of fold lists, whose folds are then counted.

    UserError: neither, or lists that cannot be read; lists and a fold rule.
    """
    text = values.get("folds")
    if not isinstance(text, str):
        if values.get("fold_list"):
            _take_lists(values, values["fold_list"])
    elif text.strip().lstrip("+-").isdigit():
        values.update(folds=int(text), fold_list="")
    else:
        if not Path(text).exists():
            raise UserError(
                f"--folds takes a number, or a file or folder with fold lists, but got {text!r}, which does "
                "not exist; correct it."
            )
        _take_lists(values, text)


def _take_lists(values: dict[str, Any], path: str) -> None:
    from datasets.fold_lists.read import fold_count

    values.update(folds=fold_count(Path(path)), fold_list=str(Path(path).absolute()))


def automatic_settings(arguments: argparse.Namespace) -> frozenset[str]:
    """The settings that are `auto`: by a flag, else by the YAML file, else by the preset."""
    chosen = dict.fromkeys(automatic_by_default(arguments.preset), AUTO)
    file = settings_in_file(arguments)
    flags = {name: getattr(arguments, name, None) for name in AUTOMATIC}
    chosen |= {name: file[name] for name in AUTOMATIC if name in file}
    chosen |= {name: text for name, text in flags.items() if text is not None}
    return frozenset(name for name, value in chosen.items() if value == AUTO)


def is_named(arguments: argparse.Namespace, field: str) -> bool:
    """Whether a flag or the YAML file gives the field, and not the preset alone."""
    return getattr(arguments, field, None) is not None or field in settings_in_file(arguments)


def settings_in_file(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the file of `--config` says; empty without one."""
    if not arguments.config:
        return {}
    return read_settings(Path(arguments.config), arguments.options_of)


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


def parse_value(name: str, text: str, hint: Any) -> Any:
    """A flag's text converted to its field's type. UserError if it cannot be converted."""
    flag = flag_of(name)
    try:
        if typing.get_origin(hint) is tuple:
            item = typing.get_args(hint)[0]
            return tuple(item(part) for part in text.split(",") if part)
        if hint is bool:
            return {"yes": True, "true": True, "no": False, "false": False}[text.lower()]
        return hint(text) if hint in (int, float) else text
    except (ValueError, KeyError) as error:
        raise UserError(f"{flag} takes {_taken(hint, name)}, but got {text!r}.") from error
