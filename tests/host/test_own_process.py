"""A function in a process of its own: its result, its error, its death and its silence reach the caller."""

from __future__ import annotations

import operator
import os
import time

import pytest

from platform.host.own_process import OwnProcessError, in_own_process


def test_the_result_comes_from_another_process() -> None:
    assert in_own_process(os.getpid, timeout_seconds=60) != os.getpid()


@pytest.mark.parametrize(
    ("function", "arguments", "timeout_seconds", "said"),
    [
        (operator.truediv, (1, 0), 60, "ZeroDivisionError: division by zero"),
        (os._exit, (7,), 60, "its process ended with status 7"),
        (time.sleep, (60,), 0.2, "there was no answer within 0.2 s"),
        (operator.neg, (lambda: 1,), 60, "cannot be handed to a process of its own"),
    ],
)
def test_whatever_goes_wrong_is_said(
    function: object, arguments: tuple[object, ...], timeout_seconds: float, said: str
) -> None:
    with pytest.raises(OwnProcessError, match=said):
        in_own_process(function, *arguments, timeout_seconds=timeout_seconds)  # type: ignore[arg-type]
