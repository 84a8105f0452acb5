"""SIGTERM while Ray works: an orderly end like that of Ctrl-C, with a message and status 143."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from platform.errors import Terminated, UserError


class Sigterm:
    """The SIGTERM handler of this process. Outside the main thread it does nothing."""

    def __init__(self) -> None:
        self.asked = False
        """Whether SIGTERM arrived from outside, not from `interrupt`."""
        self.error: UserError | None = None
        """The error passed to `interrupt`, if it was called."""
        self._main = threading.current_thread() is threading.main_thread()

    def take(self) -> None:
        """Handle SIGTERM from now on, even if other code has replaced the handler since."""
        if self._main:  # Python delivers signals to the main thread only, and so does Ray
            signal.signal(signal.SIGTERM, self._stop)

    def interrupt(self, error: UserError) -> None:
        """Interrupt the main thread from another thread; `terminable` then raises `error` there."""
        self.error = error
        if self._main:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def release(self) -> None:
        """Restore the default: SIGTERM ends the process."""
        if self._main:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _stop(self, number: int, frame: object) -> None:
        self.asked = self.error is None
        self.release()  # a second SIGTERM ends the process at once
        raise Terminated


@contextmanager
def terminable() -> Iterator[Sigterm]:
    """In the block SIGTERM raises Terminated, also while Ray starts (which needs `sigterm_stays_ours`)."""
    sigterm = Sigterm()
    sigterm.take()
    try:
        yield sigterm
    except KeyboardInterrupt:
        if sigterm.error is not None:
            raise sigterm.error from None
        if sigterm.asked:  # Tune may treat the exception as Ctrl-C and raise KeyboardInterrupt instead
            raise Terminated from None
        raise
    finally:
        sigterm.release()
