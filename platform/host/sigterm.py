"""SIGTERM while Ray works: it ends a command as Ctrl-C does, with a word and status 143."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from platform.errors import Terminated, UserError


class Sigterm:
    """This process's handler of SIGTERM; in a thread that is not the main one it does nothing."""

    def __init__(self) -> None:
        self.asked = False
        """SIGTERM came, and not from `interrupt`."""
        self.error: UserError | None = None
        """Why `interrupt` was called."""
        self._main = threading.current_thread() is threading.main_thread()

    def take(self) -> None:
        """Handle SIGTERM from now on; also where someone has taken it since."""
        if self._main:  # Python hands signals to the main thread only, and so does Ray
            signal.signal(signal.SIGTERM, self._stop)

    def interrupt(self, error: UserError) -> None:
        """Stop the main thread's work from another thread: there `terminable` raises `error`."""
        self.error = error
        if self._main:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def release(self) -> None:
        """Let SIGTERM end the process again."""
        if self._main:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _stop(self, number: int, frame: object) -> None:
        self.asked = self.error is None
        self.release()  # who asks twice does not want to wait
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
        if sigterm.asked:  # Tune may take the exception for Ctrl-C, end, and leave it to us to say so
            raise Terminated from None
        raise
    finally:
        sigterm.release()
