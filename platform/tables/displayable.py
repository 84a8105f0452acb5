"""Names and messages of a table, made safe to display: without terminal control characters, one line each.

Formats for people are rendered from the result. JSON and CSV store the names unchanged
(platform/tables/csv_json.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from platform.host.console import one_line

T = TypeVar("T")


def displayable(value: T, clean: Callable[[str], str] = one_line) -> T:
    """`value` with `clean` applied to every text in it, through dataclasses, tuples, lists and mappings.

    Objects without a changed text are returned as they are, and equal identities stay equal: the best row of
    a section is still the same object as its row.
    """
    replaced: dict[int, tuple[Any, Any]] = {}

    def made(old: Any) -> Any:
        if isinstance(old, str):
            return old if (new := clean(old)) == old else new
        if isinstance(old, bool | int | float | None):
            return old
        if id(old) not in replaced:
            replaced[id(old)] = old, _rebuilt(old, made)  # keeping `old` keeps its id from being reused
        return replaced[id(old)][1]

    result: T = made(value)
    return result


def _rebuilt(old: Any, made: Callable[[Any], Any]) -> Any:
    if dataclasses.is_dataclass(old) and not isinstance(old, type):
        before = {field.name: getattr(old, field.name) for field in dataclasses.fields(old) if field.init}
        after = {name: made(part) for name, part in before.items()}
        return dataclasses.replace(old, **after) if _differ(after.values(), before.values()) else old
    if isinstance(old, tuple | list):
        parts = [made(part) for part in old]
        return type(old)(parts) if _differ(parts, old) else old
    if isinstance(old, Mapping):
        items = {made(key): made(part) for key, part in old.items()}
        return items if _differ((*items, *items.values()), (*old, *old.values())) else old
    return old


def _differ(after: Iterable[Any], before: Iterable[Any]) -> bool:
    """Whether any object was replaced; by identity, because arrays have no boolean ==."""
    return any(new is not old for new, old in zip(after, before, strict=True))
