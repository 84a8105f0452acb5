"""JSON from untrusted or damaged files: a value, or a UserError that names file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from platform.errors import UserError
from platform.files.opening import LARGEST_BYTES, REMEDY, decoded, read_bytes

DEEPEST = 100
"""Nesting of lists and objects; our own files have fewer than 20 levels, Python fails at about 1,000."""
MOST_DIGITS = 300
"""Of an integer: floats end at 309 digits, and Python refuses to print integers above 4,300."""


def read_json(path: Path, *, largest_bytes: int = LARGEST_BYTES, remedy: str = REMEDY) -> Any:
    """The value in the JSON file `path`. Raises UserError as read_bytes and parse_json do."""
    content = read_bytes(path, largest_bytes=largest_bytes, remedy=remedy)
    return parse_json(content, str(path), remedy=remedy)


def read_json_object(
    path: Path, *, largest_bytes: int = LARGEST_BYTES, remedy: str = REMEDY
) -> dict[str, Any]:
    """As read_json; also raises UserError where the value is not an object."""
    value = read_json(path, largest_bytes=largest_bytes, remedy=remedy)
    if not isinstance(value, dict):
        raise UserError(f"{path} must hold a JSON object, but holds {_kind(value)}; {remedy}")
    return value


def parse_json(content: bytes | str, where: str, *, remedy: str = REMEDY) -> Any:
    """The value of the JSON `content`; `where` names it in messages, usually its path.

    Raises UserError for anything but JSON in UTF-8 (with the line), duplicate names in an object, integers
    of more than MOST_DIGITS digits, and nesting of more than DEEPEST levels.
    """
    text = content if isinstance(content, str) else decoded(content, where)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}, line {error.lineno}: not valid JSON ({error.msg}); {remedy}") from error
    except ValueError as error:
        raise UserError(f"{where}: {error}; {remedy}") from error
    except RecursionError:
        _refuse_depth(where, remedy)
    # Counting is a hundred times faster than walking, and few files have this many brackets at all.
    if text.count("[") + text.count("{") > DEEPEST and _is_deep(value):
        _refuse_depth(where, remedy)
    return value


def parse_own_json(content: bytes | str, where: str, *, remedy: str = REMEDY) -> Any:
    """As parse_json but faster and without its limits, for files of our own whose hash is checked.

    Raises UserError for anything but JSON.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise UserError(f"{where}{line}: not valid JSON ({str(error)[:200]}); {remedy}") from error


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits, but at most {MOST_DIGITS} are read")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:80]!r} appears twice in one object")
    return found


_DECODER = json.JSONDecoder(parse_int=_integer, object_pairs_hook=_object)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [
            part
            for container in level
            if isinstance(container, dict | list)
            for part in (container.values() if isinstance(container, dict) else container)
        ]
        if not level:
            return False
    return True


def _refuse_depth(where: str, remedy: str) -> NoReturn:
    raise UserError(f"{where}: lists and objects are nested more than {DEEPEST} levels deep; {remedy}")


def _kind(value: Any) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
