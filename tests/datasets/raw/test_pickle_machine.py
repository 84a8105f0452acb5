"""The pickle machine builds what Python's does from plain data, and stops at anything else."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from datasets.raw import pickle_machine
from datasets.raw.pickle_machine import run_plain

SHARED = [1, "two"]
VALUES = [
    None,
    True,
    (),
    (1, -2, 3.5, 2**70, "é", b"\0\xff"),
    {"a": [1, 2, 3], ("b", 4): {"c": None}, 5: (6, (7, (8, 9, 10, 11)))},
    [SHARED, SHARED],
    list(range(2000)),
]


def no_names(module: str, name: str) -> Any:
    raise ValueError(f"the name {module}.{name}")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("index", [index for index in range(len(VALUES)) if index != 3])
def test_plain_data_comes_back_in_every_protocol(index: int, protocol: int) -> None:
    assert run_plain(pickle.dumps(VALUES[index], protocol), no_names) == VALUES[index]


def test_bytes_need_no_name_from_protocol_3_on() -> None:
    assert run_plain(pickle.dumps(VALUES[3], 4), no_names) == VALUES[3]


def test_shared_objects_stay_shared() -> None:
    first, second = run_plain(pickle.dumps([SHARED, SHARED]), no_names)  # type: ignore[misc]
    assert first is second


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({1, 2}),
        pickle.dumps(print),
        pickle.dumps({frozenset({1}): 2}),
        pickle.dumps(2**2000),
        b"\x80\x04]q\x00",  # no STOP
        b"(lp0\n0.",  # nothing left on the stack
        b"]1.",  # pops a mark that is not there
        b"\x80\x04}(X\x01\x00\x00\x00au.",  # a key without value
    ],
    ids=["set", "function", "key", "large integer", "no end", "empty stack", "no mark", "odd items"],
)
def test_other_contents_are_refused(content: bytes) -> None:
    with pytest.raises((ValueError, TypeError, IndexError, KeyError)):
        run_plain(content, no_names)


def test_the_number_of_instructions_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_machine, "MOST_INSTRUCTIONS", 100)
    assert run_plain(pickle.dumps(list(range(20))), no_names) == list(range(20))
    with pytest.raises(ValueError, match="more than 100 instructions"):
        run_plain(pickle.dumps(list(range(200))), no_names)
