"""Pickles of plain data, read without ever calling what they name.

A pickle is a program: loading one from a stranger can run anything. FMPN's release has two
(METHODS §6), so they are read here: dicts, lists, tuples, texts, numbers, and numpy arrays of
numbers. The few names that arrays need are answered by functions of ours; all others are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from datasets.raw.pickle_machine import run_plain
from datasets.raw.sources import RESTORE
from platform.errors import UserError
from platform.files import opening

LARGEST_BYTES = 64 * 2**20
"""Refused above this: FMPN's largest pickle, the landmarks, has a few MB."""
DEEPEST = 50
"""Levels of dicts, lists and tuples in each other."""
LONGEST_TUPLE = 16
"""Of those that describe an array."""
MOST_VALUES = 10_000_000
"""In all, with what is shared counted again: a few kilobytes can stand for more than any memory holds."""


def load_plain(path: Path) -> object:
    """What the pickle `path` holds; Python 2's texts are read as latin1, as FMPN's loader does.

    Raises UserError that names the file where it is missing, too large, no pickle or damaged, and
    where it holds anything but dict, list, tuple, str, bytes, int, float, bool, None and numpy arrays
    of numbers (given back writable, without a base), more than DEEPEST levels or MOST_VALUES values.
    Nothing that it names is imported or run.
    """
    content = opening.read_bytes(path, largest_bytes=LARGEST_BYTES, remedy=RESTORE)
    if not content:
        raise UserError(f"{path} is empty (0 bytes); {RESTORE}")
    budget = _Budget(4 * LARGEST_BYTES)
    try:
        value = run_plain(content, lambda module, name: _stand_in(path, budget, module, name))
        return _finished(value, {}, 0)[0]
    except UserError:
        raise
    except Exception as error:  # the parser of instructions can raise anything
        raise UserError(
            f"{path} is no sound pickle of plain data ({type(error).__name__}: {str(error)[:200]}); "
            "restore it from where you got it."
        ) from error


class _Budget:
    """Bytes that calls may still make: a pickle can name the same megabytes a million times."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self, arguments: tuple[object, ...]) -> None:
        self._left -= len(arguments)
        self._left -= sum(len(part) for part in arguments if isinstance(part, str | bytes | bytearray))
        if self._left < 0:
            raise ValueError("its arrays have more bytes than the file may have")


def _stand_in(path: Path, budget: _Budget, module: str, name: str) -> _Callable:
    if (module, name) not in _STAND_INS:
        raise UserError(
            f"{path} is not plain data: it asks for {module[:80]}.{name[:80]}, which could run code; "
            "nothing was run. Restore the file from where you got it, or save its content as CSV."
        )
    return _Callable(_STAND_INS[module, name], budget)


class _Callable:
    """What a pickle gets for a name: it can be called, and has no state."""

    __slots__ = ("_budget", "_function")

    def __init__(self, function: Callable[..., object], budget: _Budget) -> None:
        self._function, self._budget = function, budget

    def call(self, *arguments: object) -> object:
        self._budget.spend(arguments)
        value = self._function(*arguments)
        if isinstance(value, _Array):
            value.budget = self._budget
        return value


class _Kind:
    """A numpy dtype of numbers while it is being unpickled."""

    def __init__(self, code: str) -> None:
        self.code = code

    def set_state(self, state: tuple[object, ...]) -> None:
        _, order, subarray, names, fields, *_ = _short(state)
        if order not in ("<", ">", "|", "=") or (subarray, names, fields) != (None, None, None):
            raise ValueError("a dtype of something else than numbers")
        self.code = f"{order}{self.code}"


class _Array:
    """A numpy array while it is being unpickled."""

    values: np.ndarray | None = None
    budget: _Budget | None = None

    def set_state(self, state: tuple[object, ...]) -> None:
        _, shape, kind, in_columns, content = _short(state)
        if self.budget is None:
            raise ValueError("an array of no call")
        self.budget.spend((content,))
        self.values = _array(content, kind, shape, "F" if in_columns else "C")


def _short(value: object) -> tuple[Any, ...]:
    """Looked at before it is unpacked: a pickle can name one long tuple a million times."""
    if not isinstance(value, tuple) or len(value) > LONGEST_TUPLE:
        raise ValueError("a tuple is not what numpy writes")
    return value


def _array(content: object, kind: object, shape: object, order: object) -> np.ndarray:
    """`content` as an array of its own memory, of a shape that takes all of it."""
    # Protocol 2 of Python 2 has the bytes as a text, which was read as latin1.
    raw = content.encode("latin1") if isinstance(content, str) else content
    if not (isinstance(raw, bytes | bytearray) and isinstance(kind, _Kind)):
        raise ValueError("an array of something else than numbers")
    dtype = np.dtype(kind.code)
    lengths = _short(shape)
    sizes = [size for size in lengths if type(size) is int and size >= 0]
    if len(sizes) != len(lengths) or order not in ("C", "F") or math.prod(sizes) * dtype.itemsize != len(raw):
        raise ValueError("an array whose shape does not fit its content")
    if not raw:
        return np.zeros(sizes, dtype)
    return np.array(np.frombuffer(raw, dtype).reshape(sizes, order="F" if order == "F" else "C"))


def _start_array(*_: object) -> _Array:
    return _Array()


def _array_of_buffer(content: object, kind: object, shape: object, order: object) -> np.ndarray:
    return _array(content, kind, shape, order)


def _kind(code: object, *_: object) -> _Kind:
    if not isinstance(code, str) or not re.fullmatch(r"[<>|=]?(b1|[iu][1248]|f[248])", code):
        raise ValueError(f"an array of {code!r}, not of numbers")
    return _Kind(code.lstrip("<>|="))


def _scalar(kind: object, content: object) -> object:
    return _array(content, kind, (), "C").item()


def _encode(text: object, encoding: object) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise ValueError("bytes in an unknown encoding")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    return b""


def _never(*_: object) -> object:
    raise ValueError("numpy.ndarray is called")


_NUMPY_NAMES: dict[tuple[str, str], Callable[..., object]] = {
    ("multiarray", "_reconstruct"): _start_array,
    ("multiarray", "scalar"): _scalar,
    ("numeric", "_frombuffer"): _array_of_buffer,
}
_STAND_INS: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _never,
    ("numpy", "dtype"): _kind,
    ("_codecs", "encode"): _encode,
    # Empty bytes of the protocols 0 to 2.
    ("builtins", "bytes"): _no_bytes,
    ("__builtin__", "bytes"): _no_bytes,
    # numpy 2 has renamed numpy.core.
    **{
        (f"numpy.{core}.{module}", name): function
        for core in ("core", "_core")
        for (module, name), function in _NUMPY_NAMES.items()
    },
}
"""Everything that a pickle may name, and what answers to it."""


def _finished(value: object, seen: dict[int, tuple[object, int]], level: int) -> tuple[object, int]:
    """`value` with arrays for what stood in for them, and how many values it holds where each that is
    shared counts as often as it is named; refuses all that is not plain.

    `seen`: what each container has become, by its id; containers that hold themselves are refused.
    """
    if value is None or type(value) in (str, bytes, int, float, bool):
        return value, 1
    if isinstance(value, np.ndarray):
        return value, 1 + value.size
    if isinstance(value, _Array):
        if value.values is None:
            raise ValueError("an array without content")
        return value.values, 1 + value.values.size
    if id(value) in seen:
        if not seen[id(value)][1]:
            raise ValueError("something that contains itself")
        return seen[id(value)]
    if level > DEEPEST:
        raise ValueError(f"more than {DEEPEST} levels deep")
    seen[id(value)] = value, 0
    if type(value) is dict:
        parts = [_finished(item, seen, level + 1) for item in value.values()]
        done: object = dict(zip(value, (part for part, _ in parts), strict=True))
    elif type(value) is list or type(value) is tuple:
        parts = [_finished(item, seen, level + 1) for item in value]
        done = type(value)(part for part, _ in parts)
    else:
        raise ValueError(f"an object of type {type(value).__name__}")
    size = 1 + sum(size for _, size in parts)
    if size > MOST_VALUES:
        raise ValueError(f"it stands for more than {MOST_VALUES:,} values")
    seen[id(value)] = done, size
    return done, size
