"""Fields of settings: their types, rules, groups, and the form in which they are stored.

Settings are frozen keyword-only dataclasses. A method's options mix in groups of fields; a field belongs to
the class that declares it.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from platform.errors import UserError, unknown_name

LATER = "absent_while_usual"
"""Key in a field's metadata that `added_later` sets."""
UNSTORED = "unstored"
"""Key in a field's metadata that `unstored` sets."""


def added_later(default: Any) -> Any:
    """A field that did not exist in the first version of its settings.

    Records, study definitions and stored settings omit it while it has its default, so that the results of
    earlier versions keep their identities and are found again.
    """
    return dataclasses.field(default=default, metadata={LATER: True})


def unstored(default: Any) -> Any:
    """A field that no record, study definition or stored settings hold."""
    return dataclasses.field(default=default, metadata={UNSTORED: True})


_HINTS: dict[Any, dict[str, Any]] = {}
_GROUPS: dict[Any, dict[str, type]] = {}
_NAMES: dict[Any, frozenset[str]] = {}
_LATER: dict[Any, dict[str, Any]] = {}
_OF_GROUPS: dict[Any, frozenset[str]] = {}
"""What the functions below have found: planning asks for every fold run."""


def type_hints(kind: type) -> dict[str, Any]:
    """Field names of `kind` to their types. Must not be modified."""
    if kind not in _HINTS:
        _HINTS[kind] = typing.get_type_hints(kind)
    return _HINTS[kind]


def field_names(kind: type) -> frozenset[str]:
    """Names of all fields of `kind`."""
    if kind not in _NAMES:
        _NAMES[kind] = frozenset(field.name for field in dataclasses.fields(kind))
    return _NAMES[kind]


def later_fields(kind: type) -> Mapping[str, Any]:
    """Names and defaults of the fields of `kind` that `added_later` made. Must not be modified."""
    if kind not in _LATER:
        _LATER[kind] = {
            field.name: field.default for field in dataclasses.fields(kind) if LATER in field.metadata
        }
    return _LATER[kind]


def to_dict(settings: Any) -> dict[str, Any]:
    """Stored form: field names to JSON values (tuples become lists).

    Without unstored fields, and without later ones that have their default.
    """
    stored = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if UNSTORED in field.metadata or (LATER in field.metadata and value == field.default):
            continue
        stored[field.name] = list(value) if isinstance(value, tuple) else value
    return stored


def group_of(kind: type, name: str) -> type:
    """The class, `kind` or one of its bases, that declares the field."""
    if kind not in _GROUPS:
        _GROUPS[kind] = {
            name: group for group in reversed(kind.__mro__) for name in inspect.get_annotations(group)
        }
    return _GROUPS[kind][name]


def fields_of_groups(kind: type, groups: tuple[type, ...]) -> frozenset[str]:
    """Names of the fields of `kind` that the classes `groups` themselves declare."""
    if (kind, groups) not in _OF_GROUPS:
        wanted = set(groups)
        _OF_GROUPS[kind, groups] = frozenset(
            field.name for field in dataclasses.fields(kind) if group_of(kind, field.name) in wanted
        )
    return _OF_GROUPS[kind, groups]


def shared_fields(one: type, other: type) -> frozenset[str]:
    """Names of the fields whose group both classes mix in."""
    return frozenset(
        field.name
        for field in dataclasses.fields(one)
        if issubclass(other, group := group_of(one, field.name)) and issubclass(one, group)
    )


def check_groups(kind: type) -> None:
    """UserError: two classes among `kind` and its bases declare the same field."""
    declared: dict[str, type] = {}
    for group in kind.__mro__:
        for name in inspect.get_annotations(group) if dataclasses.is_dataclass(group) else ():
            if typing.get_origin(type_hints(group).get(name)) is typing.ClassVar:
                continue
            if name in declared:
                raise UserError(
                    f"an option is defined once, but {kind.__name__} takes {name} from both "
                    f"{declared[name].__name__} and {group.__name__}; rename one of them, or change the "
                    "default in the method's presets."
                )
            declared[name] = group


def check_rule(settings: Any, name: str, holds: bool, rule: str) -> None:
    """UserError with the rule of the field `name`, its value and its flag, unless it `holds`."""
    if not holds:
        flag = "--" + name.replace("_", "-")
        raise UserError(f"{name} must be {rule}, but got {getattr(settings, name)!r}; change {flag}.")


def check_types(settings: Any) -> None:
    """Reject a value of another type than its field's: YAML and spaces bring untyped values.

    A whole number in a field of decimals is made one: 10 and 10.0 must give the same identity.
    """
    hints = type_hints(type(settings))
    for field in dataclasses.fields(settings):
        value, hint = getattr(settings, field.name), hints[field.name]
        if typing.get_origin(hint) is Literal:
            check_choice(field.name, str(value), typing.get_args(hint))
            continue
        base = typing.get_origin(hint) or hint
        if base is tuple:
            item = typing.get_args(hint)[0]
            if not isinstance(value, tuple) or any(type(part) is not item for part in value):
                raise UserError(f"{field.name} must be a list of {item.__name__}, but got {value!r}.")
            continue
        accepted = (int, float) if base is float else (base,)
        if not isinstance(value, accepted) or (isinstance(value, bool) and base is not bool):
            raise UserError(f"{field.name} must be of type {base.__name__}, but got {value!r}.")
        if base is float:
            if not math.isfinite(value):
                raise UserError(f"{field.name} must be finite, but got {value!r}.")
            object.__setattr__(settings, field.name, float(value))


def check_choice(name: str, value: str, known: Iterable[str]) -> None:
    """UserError unless the value of the field `name` is one of the known names."""
    known = list(known)
    if value not in known:
        raise unknown_name(name, value, known)
