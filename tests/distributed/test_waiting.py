"""Waits that another thread ends."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, Future
from types import SimpleNamespace
from typing import Any

import pytest

from platform.distributed.waiting import Waiting


def remote(future: Future[Any]) -> Any:
    """Stands in for a `remote` of Ray's."""
    return lambda *arguments, **options: SimpleNamespace(future=lambda: future)


def answered(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


def test_an_answer_is_the_value_or_the_tasks_exception() -> None:
    assert Waiting().answer(remote(answered(3)), "argument") == 3
    failed: Future[Any] = Future()
    failed.set_exception(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        Waiting().answer(remote(failed))


def test_a_wait_that_is_ended_ends() -> None:
    waiting, asked, ended = Waiting(), threading.Event(), threading.Event()

    def ask() -> Any:
        asked.set()
        return SimpleNamespace(future=Future)

    def wait() -> None:
        with pytest.raises(CancelledError):
            waiting.answer(ask)
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert asked.wait(60)
    waiting.end()
    thread.join(60)
    assert ended.is_set()


def test_after_its_end_nothing_is_asked_any_more() -> None:
    waiting = Waiting()
    waiting.end()
    with pytest.raises(CancelledError):
        waiting.answer(lambda: pytest.fail("asked"))


def test_an_end_while_it_asks_is_noticed() -> None:
    waiting = Waiting()

    def ask() -> Any:
        waiting.end()
        return SimpleNamespace(future=Future)

    with pytest.raises(CancelledError):
        waiting.answer(ask)
