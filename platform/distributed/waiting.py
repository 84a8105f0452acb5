"""Waiting for Ray's answers in a thread, so that another thread can end the wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray import ObjectRef


class Waiting:
    """The waits of one thread.

    `ray.get` cannot be ended from outside: the thread would wait in C++ while Ray is shut down below it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._future: Future[Any] | None = None
        self._over = False

    def answer(self, remote: Callable[..., ObjectRef[Any]], *arguments: Any, **options: Any) -> Any:
        """Call `remote`, which returns a reference of Ray's, and wait for its value.

        Raises the task's exception. CancelledError: `end` was called, before (nothing is called then) or
        meanwhile.
        """
        self._check()
        future: Future[Any] = remote(*arguments, **options).future()
        with self._lock:
            self._future = future
        self._check()
        return future.result()

    def end(self) -> None:
        """End the wait, and refuse every further one."""
        with self._lock:
            self._over = True
            if self._future is not None:
                self._future.cancel()

    def _check(self) -> None:
        with self._lock:
            if self._over:
                raise CancelledError
