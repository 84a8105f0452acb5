"""A small stack machine for pickles of plain data, instead of Python's, which crafted bytes can crash or
stall.

A pickle is a program for a stack machine. `pickletools` only decodes its instructions. This machine executes
those that build plain data, counts them, and never calls a name from the pickle.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any

MOST_INSTRUCTIONS = 1_000_000
"""FMPN's landmarks of ten thousand images take about 300,000."""
MOST_INTEGER_BITS = 1000
"""Larger integers do not fit in a float."""
LONGEST_KEY = 16
"""Most elements of a tuple used as a key."""

_MARKED = {"APPENDS", "DICT", "LIST", "POP_MARK", "SETITEMS", "TUPLE"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_SCALARS = (str, bytes, int, float, bool, type(None))


def run_plain(content: bytes, name: Callable[[str, str], Any]) -> object:
    """The object that the pickle `content` builds.

    `name(module, name)` returns the stand-in for a global name, an object with `call(*arguments)`, or raises;
    the result of a call may have `set_state(state)`. Raises ValueError, TypeError, IndexError or KeyError if
    `content` is not a valid pickle, uses an instruction beyond plain data or more than MOST_INSTRUCTIONS.
    """
    machine = _Machine(name)
    for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
        if count > MOST_INSTRUCTIONS:
            raise ValueError(f"more than {MOST_INSTRUCTIONS:,} instructions")
        if opcode.name == "STOP":
            return machine.stack.pop()
        machine.step(opcode.name, opcode.stack_after, argument)
    raise ValueError("it does not end")


class _Machine:
    """Stack, marks and memo. A mark sets the stack aside and starts an empty one."""

    def __init__(self, name: Callable[[str, str], Any]) -> None:
        self.stack: list[Any] = []
        self._aside: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._name = name

    def step(self, code: str, pushes: list[pickletools.StackObject], argument: Any) -> None:
        stack = self.stack
        if code in _CONSTANTS:
            stack.append(_CONSTANTS[code])
        elif code in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif code == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif code in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif code == "MARK":
            self._aside.append(stack)
            self.stack = []
        elif code in _MARKED:
            self._since_mark(code)
        elif code in _TUPLES:
            parts = [stack.pop() for _ in range(_TUPLES[code])]
            stack.append(tuple(reversed(parts)))
        elif code.startswith("EMPTY_"):
            stack.append({"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}[code]())
        elif code in ("GLOBAL", "INST"):
            module, _, name = argument.partition(" ")
            stack.append(self._name(module, name))
            if code == "INST":
                raise ValueError("an instance of a name")
        elif code in ("APPEND", "SETITEM", "REDUCE", "BUILD", "STACK_GLOBAL", "POP", "DUP"):
            self._on_top(code)
        elif code not in ("PROTO", "FRAME"):
            self._push(code, pushes, argument)

    def _push(self, code: str, pushes: list[pickletools.StackObject], argument: Any) -> None:
        """Push the instruction's own argument: a string, bytes or a number."""
        if argument is None or len(pushes) != 1 or not isinstance(argument, (*_SCALARS, bytearray)):
            raise ValueError(f"the instruction {code}")
        if code in ("BINPERSID", "PERSID", "EXT1", "EXT2", "EXT4"):
            raise ValueError(f"the instruction {code}")
        if isinstance(argument, int) and argument.bit_length() > MOST_INTEGER_BITS:
            raise ValueError(f"a number of {argument.bit_length():,} bits")
        self.stack.append(argument)

    def _since_mark(self, code: str) -> None:
        parts, self.stack = self.stack, self._aside.pop()
        if code == "LIST":
            self.stack.append(parts)
        elif code == "TUPLE":
            self.stack.append(tuple(parts))
        elif code == "APPENDS":
            _of_kind(self.stack[-1], list).extend(parts)
        elif code in ("DICT", "SETITEMS"):
            if code == "DICT":
                self.stack.append({})
            for key, value in zip(parts[::2], parts[1::2], strict=True):
                _set_item(self.stack[-1], key, value)

    def _on_top(self, code: str) -> None:
        stack = self.stack
        if code == "POP":
            if stack:
                stack.pop()
            else:
                self.stack = self._aside.pop()
            return
        if code == "DUP":
            stack.append(stack[-1])
            return
        top = stack.pop()
        if code == "APPEND":
            _of_kind(stack[-1], list).append(top)
        elif code == "SETITEM":
            key = stack.pop()
            _set_item(stack[-1], key, top)
        elif code == "STACK_GLOBAL":
            stack.append(self._name(_of_kind(stack.pop(), str), _of_kind(top, str)))
        elif code == "REDUCE":
            call = getattr(stack.pop(), "call", None)
            if call is None:
                raise TypeError("a call of what cannot be called")
            stack.append(call(*_of_kind(top, tuple)))
        else:
            set_state = getattr(stack[-1], "set_state", None)
            if set_state is None:
                raise TypeError("a state of what has none")
            set_state(top)


def _of_kind(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{type(value).__name__} where {kind.__name__} is needed")
    return value


def _set_item(target: Any, key: Any, value: Any) -> None:
    """Set an item whose key is a string, a number or a flat tuple: hashing nested tuples could take
    forever."""
    parts = key if type(key) is tuple else (key,)
    if len(parts) > LONGEST_KEY or not all(type(part) in _SCALARS for part in parts):
        raise TypeError(f"a key of type {type(key).__name__}")
    _of_kind(target, dict)[key] = value
