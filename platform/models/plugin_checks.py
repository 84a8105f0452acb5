"""What a method of the user's own must declare, checked before any of it is used."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, Literal

from platform.errors import UserError, unknown_name
from platform.models.method import Method
from platform.models.net_method import NetMethod
from platform.models.options.configuration import Configuration
from platform.models.options.fields import check_groups, type_hints
from platform.models.options.sequences import SequenceFrames

PRESETS_OF_EVERY_METHOD = ("quick", "smoke")
DECLARED = ("title", "options", "presets", "space")
SEQUENCES = "sequences"
"""The layer that a method needs whose unit is the sequence."""
SPACE = "space"
"""What a preset may say beside options."""
TYPES = (int, float, bool, str)
"""Types of options; also tuples of one of them, of any length, and Literals of strings."""


def check_declarations(kind: type[Method], place: str) -> None:
    """UserError names the first thing that the class in the file `place` lacks or has in another form."""
    whose = f"the method {kind.__name__} in {place}"
    for name in DECLARED:
        if not hasattr(kind, name):
            raise UserError(f"{whose} must declare {name}; add it to the class (docs/extending.md).")
    missing = sorted(kind.__abstractmethods__)
    if missing:
        raise UserError(
            f"{whose} must define every function of {_interface(kind)}, but has no {', '.join(missing)}; add "
            "what is missing (docs/extending.md)."
        )
    title = kind.title
    rules = {
        "title": (isinstance(title, str) and bool(title) and title.isprintable(), "a text on one line"),
        "version": (type(kind.version) is int and kind.version >= 1, "a whole number from 1"),
        "unit": (kind.unit in ("image", "sequence"), "image or sequence"),
        "needs": (isinstance(kind.needs, frozenset), "a frozenset of layers' names"),
        "space": (isinstance(kind.space, str), "the name of a search space"),
        "presets": (_is_nested(kind.presets), "a dict of dicts"),
        "only_artifacts": (_are_groups(kind.only_artifacts), "a tuple of groups of options"),
    }
    for name, (holds, rule) in rules.items():
        if not holds:
            raise UserError(
                f"{whose} must declare {name} as {rule}, but got {getattr(kind, name)!r}; correct it "
                "(docs/extending.md)."
            )
    _check_options(kind.options, whose)
    _check_unit(kind, whose)
    _check_presets(kind, whose)


def _check_unit(kind: type[Method], whose: str) -> None:
    """UserError: a method that scores sequences and does not say that it needs them, or how many frames."""
    if kind.unit != "sequence":
        return
    if SEQUENCES not in kind.needs:
        raise UserError(
            f"{whose} scores sequences, so it must declare needs with {SEQUENCES!r} among them, but got "
            f"{sorted(kind.needs)}; add it (docs/extending.md)."
        )
    if issubclass(kind, NetMethod) and not issubclass(kind.options, SequenceFrames):
        raise UserError(
            f"{whose} trains a net on sequences, so its options must mix in SequenceFrames "
            f"(platform/models/options/sequences.py), but {kind.options.__name__} does not; add it."
        )


def _interface(kind: type[Method]) -> str:
    """The nearest of our own classes that the method derives from."""
    return next(one.__name__ for one in kind.__mro__ if one.__module__.startswith("platform.models."))


def _is_nested(presets: Any) -> bool:
    return isinstance(presets, Mapping) and all(isinstance(one, Mapping) for one in presets.values())


def _are_groups(groups: Any) -> bool:
    return isinstance(groups, tuple) and all(
        isinstance(one, type) and issubclass(one, Configuration) for one in groups
    )


def _check_options(options: Any, whose: str) -> None:
    if not (isinstance(options, type) and issubclass(options, Configuration)):
        raise UserError(
            f"{whose} must declare options derived from Configuration (platform/models/options/), but got "
            f"{options!r}; derive them."
        )
    if not ("__dataclass_fields__" in vars(options) and vars(options)["__dataclass_params__"].frozen):
        raise UserError(
            f"the options of {whose} must be a dataclass of their own, but {options.__name__} is not "
            "decorated; write @dataclass(frozen=True, kw_only=True) above it."
        )
    try:
        hints = type_hints(options)
    except NameError as error:
        raise UserError(f"the options of {whose} must have known types, but {error}; import it.") from error
    check_groups(options)
    for field in dataclasses.fields(options):
        if not _is_type(hints[field.name]):
            raise UserError(
                f"an option must be int, float, bool, str, tuple[T, ...] or a Literal of strings, but "
                f"{field.name} of {whose} is {hints[field.name]!r}; change its type."
            )
        lacking = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if lacking and field.name != "method":
            raise UserError(
                f"every option must have a default, but {field.name} of {whose} has none; add it."
            )


def _is_type(hint: Any) -> bool:
    if typing.get_origin(hint) is Literal:
        return all(isinstance(value, str) for value in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        arguments = typing.get_args(hint)
        return len(arguments) == 2 and arguments[0] in TYPES and arguments[1] is Ellipsis
    return hint in TYPES


def _check_presets(kind: type[Method], whose: str) -> None:
    """UserError: a preset is absent, names what is no option, or makes invalid options."""
    lacking = [name for name in PRESETS_OF_EVERY_METHOD if name not in kind.presets]
    if lacking:
        raise UserError(f"{whose} must have the presets quick and smoke, but has no {', '.join(lacking)}.")
    names = {field.name for field in dataclasses.fields(kind.options)} - {"method"}
    for preset, values in kind.presets.items():
        for name in values:
            if name not in names | {SPACE}:
                raise unknown_name(f"key of the preset {preset} of {whose}", str(name), names | {SPACE})
        given = {name: value for name, value in values.items() if name != SPACE}
        try:
            kind.options(method=kind.__name__, **given)
        except Exception as error:
            raise UserError(
                f"the preset {preset} of {whose} must make valid options, but {type(error).__name__}: "
                f"{' '.join(str(error).split())}"
            ) from error
