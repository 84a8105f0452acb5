"""Pickles of plain data, read without ever calling the names in them.

A pickle is a program: loading one from an untrusted source can run anything. FMPN's release has two
(docs/methods.md, §6). This reader accepts dicts, lists, tuples, strings, numbers and numpy arrays of numbers.
Our own functions stand in for the few names that arrays need; all others are refused.
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
"""Larger files are refused; FMPN's largest pickle, the landmarks, has a few MB."""
DEEPEST = 50
"""Most levels of nested dicts, lists and tuples."""
LONGEST_TUPLE = 16
"""Most elements of a tuple that describes an array."""
MOST_VALUES = 10_000_000
"""Most values in total, shared ones counted each time: a few kilobytes can expand beyond any memory."""


def load_plain(path: Path) -> object:
    """The content of the pickle `path`; Python 2's strings are read as latin1, as FMPN's loader does.

    Arrays are returned writable, without a base. Nothing that the pickle names is imported or run. Raises
    UserError, with the path, if the file is missing, too large, damaged or not a pickle, and if it holds
    anything but dict, list, tuple, str, bytes, int, float, bool, None and numpy arrays of numbers, more than
    DEEPEST levels or more than MOST_VALUES values.
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
    except Exception as error:  # the decoder of instructions can raise anything
        raise UserError(
            f"{path} is not a valid pickle of plain data ({type(error).__name__}: {str(error)[:200]}); "
            "restore it from its source."
        ) from error


class _Budget:
    """Bytes that calls may still allocate: a pickle can reference the same megabytes a million times."""

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
            f"{path} is not plain data: it references {module[:80]}.{name[:80]}, which could run code; "
            "nothing was run. Restore the file from its source, or save its content as CSV."
        )
    return _Callable(_STAND_INS[module, name], budget)


class _Callable:
    """The stand-in for a name in a pickle: it can be called, and has no state."""

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
    """`value` if it is a short tuple. Checked before unpacking: a pickle can reference a long one a million
    times."""
    if not isinstance(value, tuple) or len(value) > LONGEST_TUPLE:
        raise ValueError("a tuple is not what numpy writes")
    return value


def _array(content: object, kind: object, shape: object, order: object) -> np.ndarray:
    """`content` as an array with its own memory, of a shape that uses all of it."""
    # Protocol 2 of Python 2 stores bytes as a string, which was read as latin1.
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
    # Empty bytes in protocols 0 to 2.
    ("builtins", "bytes"): _no_bytes,
    ("__builtin__", "bytes"): _no_bytes,
    # numpy 2 has renamed numpy.core.
    **{
        (f"numpy.{core}.{module}", name): function
        for core in ("core", "_core")
        for (module, name), function in _NUMPY_NAMES.items()
    },
}
"""Every name that a pickle may reference, and its stand-in."""


def _finished(value: object, seen: dict[int, tuple[object, int]], level: int) -> tuple[object, int]:
    """`value` with arrays in place of their stand-ins, and its number of values, shared ones counted each
    time.

    `seen`: the result for each container, by id. Raises ValueError for anything that is not plain data and
    for containers that contain themselves.
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
