"""The window before Ray: a limit on what is handed over at once, and the queue of what waits for it."""

from __future__ import annotations

import asyncio
import heapq
import itertools


class Window:
    """A limited number of places; a free one goes to the waiting task with the highest priority.

    The limit may change while tasks wait: growing lets more through at once, shrinking lets none through
    until enough places have been given back.
    """

    def __init__(self, limit: int | None) -> None:
        """limit: places; None: as many as are asked for."""
        self._limit = limit
        self._held = 0
        self._refusal: Exception | None = None
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    @property
    def limit(self) -> int | None:
        """Places; None: as many as are asked for."""
        return self._limit

    @property
    def held(self) -> int:
        """Places that are taken; more than the limit after it has shrunk."""
        return self._held

    @property
    def waiting(self) -> int:
        """Tasks that wait for a place."""
        return sum(not turn.done() for _, _, turn in self._waiting)

    @property
    def refusal(self) -> Exception | None:
        """Why nobody gets a place, if so."""
        return self._refusal

    def refuse(self, reason: Exception | None) -> None:
        """Raise `reason` in whoever waits for a place or will ask for one; None: give places again."""
        self._refusal = reason
        if reason is not None:
            for _, _, turn in self._waiting:
                if not turn.done():
                    turn.set_exception(reason)
            self._waiting.clear()

    async def acquire(self, priority: float) -> None:
        """Wait for a place; of equal priorities, the one that has waited longest gets it."""
        if self._refusal is not None:
            raise self._refusal
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-priority, next(self._order), turn))
        self._let_through()
        await turn

    def release(self) -> None:
        """Give a place back."""
        self._held -= 1
        self._let_through()

    def resize(self, limit: int | None) -> None:
        """Change the limit."""
        self._limit = limit
        self._let_through()

    def _let_through(self) -> None:
        while self._waiting and (self._limit is None or self._held < self._limit):
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():  # its task was cancelled while it waited
                self._held += 1
                turn.set_result(None)
