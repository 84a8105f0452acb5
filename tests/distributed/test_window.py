"""The window: who gets a free place, and what a changed limit does while tasks wait."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from platform.distributed.window import Window


def run(case: Coroutine[None, None, None]) -> None:
    asyncio.run(case)


async def turns_taken() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def waiting(window: Window, turns: list[str], *tasks: tuple[str, float]) -> list[asyncio.Future[None]]:
    """Tasks that note their names once they are let through, and keep their places."""

    async def wait(name: str, priority: float) -> None:
        await window.acquire(priority)
        turns.append(name)

    return [asyncio.ensure_future(wait(name, priority)) for name, priority in tasks]


def test_a_free_place_goes_to_the_highest_priority_then_to_who_waited_longest() -> None:
    async def case() -> None:
        window, turns = Window(1), list[str]()
        await window.acquire(0)
        waiting(window, turns, ("low", 1), ("high", 3), ("middle", 2), ("high too", 3))
        await turns_taken()
        assert (turns, window.held, window.waiting) == ([], 1, 4)
        for _ in range(4):
            window.release()
            await turns_taken()
        assert turns == ["high", "high too", "middle", "low"]

    run(case())


def test_a_limit_that_grows_lets_more_through_at_once() -> None:
    async def case() -> None:
        window, turns = Window(0), list[str]()
        waiting(window, turns, ("low", 1), ("high", 3), ("middle", 2))
        await turns_taken()
        assert turns == []
        window.resize(2)
        await turns_taken()
        assert turns == ["high", "middle"]
        window.resize(None)
        await turns_taken()
        assert (turns, window.held, window.waiting) == (["high", "middle", "low"], 3, 0)

    run(case())


def test_a_limit_that_shrinks_lets_none_through_until_enough_have_ended() -> None:
    async def case() -> None:
        window, turns = Window(3), list[str]()
        waiting(window, turns, *((str(number), -number) for number in range(4)))
        await turns_taken()
        window.resize(1)
        for held in (2, 1):
            window.release()
            await turns_taken()
            assert (window.held, turns) == (held, ["0", "1", "2"])
        window.release()
        await turns_taken()
        assert (window.held, window.limit, turns) == (1, 1, ["0", "1", "2", "3"])

    run(case())


def test_a_task_that_is_cancelled_while_it_waits_takes_no_place() -> None:
    async def case() -> None:
        window, turns = Window(1), list[str]()
        await window.acquire(0)
        first, _ = waiting(window, turns, ("gone", 2), ("stays", 1))
        await turns_taken()
        first.cancel()
        await turns_taken()
        assert window.waiting == 1
        window.release()
        await turns_taken()
        assert turns == ["stays"]

    run(case())


def test_a_window_that_refuses_lets_nobody_wait() -> None:
    async def case() -> None:
        window = Window(1)
        await window.acquire(1.0)
        turn = asyncio.ensure_future(window.acquire(1.0))
        await asyncio.sleep(0)
        window.refuse(ValueError("no node"))
        with pytest.raises(ValueError, match="no node"):
            await turn
        with pytest.raises(ValueError, match="no node"):
            await window.acquire(2.0)
        window.refuse(None)
        assert window.refusal is None
        window.release()
        await asyncio.wait_for(window.acquire(1.0), 5)
        assert (window.held, window.waiting) == (1, 0)

    run(case())
