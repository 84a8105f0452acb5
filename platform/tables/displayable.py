"""Names and messages of a table, made fit to be shown: no orders to a terminal, one line each.

JSON and CSV hold the names themselves (platform/tables/csv_json.py); everything that people read is made
from what this returns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from platform.host.console import one_line

T = TypeVar("T")


def displayable(value: T, clean: Callable[[str], str] = one_line) -> T:
    """`value` with `clean` applied to every text in it, through dataclasses, tuples, lists and mappings.

    What `clean` leaves alone is returned as the same object, and one object is replaced by one object: a row
    that is the best of its section is so afterwards.
    """
    replaced: dict[int, tuple[Any, Any]] = {}

    def made(old: Any) -> Any:
        if isinstance(old, str):
            return old if (new := clean(old)) == old else new
        if isinstance(old, bool | int | float | None):
            return old
        if id(old) not in replaced:
            replaced[id(old)] = old, _rebuilt(old, made)  # `old` too: its id must not be given to another
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
    """Whether any object was replaced. Not by ==, which arrays do not have."""
    return any(new is not old for new, old in zip(after, before, strict=True))
