"""Pickles of plain data, read without ever calling what they name.

A pickle is a program: loading one from a stranger can run anything. FMPN's release has two
(METHODS §6), so they are read here: dicts, lists, tuples, texts, numbers, and numpy arrays of
numbers. The few names that arrays need are answered by functions of ours; all others are refused.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from datasets.sources import read_bytes
from platform.errors import UserError

LARGEST_BYTES = 64 * 2**20
"""Refused above this: FMPN's largest pickle, the landmarks, has a few MB."""


def load_plain(path: Path) -> object:
    """What the pickle `path` holds; Python 2's texts are read as latin1, as FMPN's loader does.

    Raises UserError that names the file where it is missing, too large, no pickle or damaged, and
    where it holds anything but dict, list, tuple, str, bytes, int, float, bool, None and numpy arrays
    of numbers (given back writable, without a base). Nothing that it names is imported or run.
    """
    if path.is_file() and path.stat().st_size > LARGEST_BYTES:
        raise UserError(
            f"{path} has {path.stat().st_size:,} bytes, but a pickle of labels or landmarks has at most "
            f"{LARGEST_BYTES:,}; pass the right file."
        )
    content = read_bytes(path)
    try:
        _check_opcodes(content)
        return _finished(_PlainUnpickler(path, content).load(), {})
    except UserError:
        raise
    except Exception as error:  # crafted bytes can make the unpickler raise anything
        raise UserError(
            f"{path} is no sound pickle of plain data ({type(error).__name__}: {error}); restore it from "
            "where you got it."
        ) from error


def _check_opcodes(content: bytes) -> None:
    """Parse without running: cut-off data raises here, and so does a memo index that would make the
    unpickler reserve memory beyond any bound."""
    for opcode, argument, _ in pickletools.genops(content):
        if "PUT" in opcode.name and isinstance(argument, int) and argument > len(content):
            raise ValueError(f"memo index {argument}")


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, path: Path, content: bytes) -> None:
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._path = path

    def find_class(self, module: str, name: str) -> object:
        """Our stand-in for `module.name`."""
        if (module, name) not in _STAND_INS:
            raise UserError(
                f"{self._path} is not plain data: it asks for {module}.{name}, which could run code; "
                "nothing was run. Restore the file from where you got it, or save its content as CSV."
            )
        return _Callable(_STAND_INS[module, name])


class _Callable:
    """What a pickle gets for a name: it can be called, and nothing about it can be changed."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __call__(self, *arguments: object) -> object:
        return self._function(*arguments)

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("a name cannot have a state")


class _Kind:
    """A numpy dtype of numbers while it is being unpickled."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _, order, subarray, names, fields, *_ = state
        if order not in ("<", ">", "|", "=") or (subarray, names, fields) != (None, None, None):
            raise pickle.UnpicklingError("a dtype of something else than numbers")
        self.code = f"{order}{self.code}"


class _Array:
    """A numpy array while it is being unpickled."""

    values: np.ndarray | None = None

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _, shape, kind, in_columns, content = state
        self.values = _array(content, kind, shape, "F" if in_columns else "C")


def _array(content: object, kind: object, shape: object, order: object) -> np.ndarray:
    """`content` as an array of its own memory, of a shape that takes all of it."""
    # Protocol 2 of Python 2 has the bytes as a text, which was read as latin1.
    raw = content.encode("latin1") if isinstance(content, str) else content
    if not (isinstance(raw, bytes | bytearray) and isinstance(kind, _Kind) and isinstance(shape, tuple)):
        raise pickle.UnpicklingError("an array of something else than numbers")
    dtype = np.dtype(kind.code)
    sizes = [size for size in shape if type(size) is int and size >= 0]
    if len(sizes) != len(shape) or order not in ("C", "F") or math.prod(sizes) * dtype.itemsize != len(raw):
        raise pickle.UnpicklingError("an array whose shape does not fit its content")
    if not raw:
        return np.zeros(sizes, dtype)
    return np.array(np.frombuffer(raw, dtype).reshape(sizes, order="F" if order == "F" else "C"))


def _start_array(*_: object) -> _Array:
    return _Array()


def _array_of_buffer(content: object, kind: object, shape: object, order: object) -> np.ndarray:
    return _array(content, kind, shape, order)


def _kind(code: object, *_: object) -> _Kind:
    if not isinstance(code, str) or not re.fullmatch(r"[<>|=]?(b1|[iu][1248]|f[248])", code):
        raise pickle.UnpicklingError(f"an array of {code!r}, not of numbers")
    return _Kind(code.lstrip("<>|="))


def _scalar(kind: object, content: object) -> object:
    return _array(content, kind, (), "C").item()


def _encode(text: object, encoding: object) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("bytes in an unknown encoding")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    return b""


def _never(*_: object) -> object:
    raise pickle.UnpicklingError("numpy.ndarray is called")


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


def _finished(value: object, seen: dict[int, object]) -> object:
    """`value` with arrays for what stood in for them; refuses all that is not plain.

    `seen`: what each container has become, by its id; containers that hold themselves are refused.
    """
    if value is None or type(value) in (str, bytes, int, float, bool, np.ndarray):
        return value
    if isinstance(value, _Array):
        if value.values is None:
            raise pickle.UnpicklingError("an array without content")
        return value.values
    if id(value) in seen:
        if seen[id(value)] is seen:
            raise pickle.UnpicklingError("something that contains itself")
        return seen[id(value)]
    seen[id(value)] = seen
    done: object
    if type(value) is dict:
        done = {_finished(key, seen): _finished(item, seen) for key, item in value.items()}
    elif type(value) is list:
        done = [_finished(item, seen) for item in value]
    elif type(value) is tuple:
        done = tuple(_finished(item, seen) for item in value)
    else:
        raise pickle.UnpicklingError(f"an object of type {type(value).__name__}")
    seen[id(value)] = done
    return done
