"""SIGTERM while Ray works ends a command in one way, whoever sent it."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from platform.errors import Terminated, UserError
from platform.host.sigterm import Sigterm, terminable


def be_terminated() -> None:
    with terminable():
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(30)


def be_interrupted(why: UserError) -> None:
    with terminable() as sigterm:
        other = threading.Thread(target=sigterm.interrupt, args=(why,))
        other.start()
        other.join()
        threading.Event().wait(30)


def end_as_ctrl_c() -> None:
    with terminable():
        raise KeyboardInterrupt


def test_sigterm_in_the_block_is_said_and_handled_by_nobody_afterwards() -> None:
    with pytest.raises(Terminated):
        be_terminated()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_an_interruption_from_another_thread_raises_its_own_error() -> None:
    with pytest.raises(UserError, match="Ray is gone"):
        be_interrupted(UserError("Ray is gone"))


def test_ctrl_c_stays_ctrl_c() -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        end_as_ctrl_c()
    assert not isinstance(caught.value, Terminated)


def test_in_another_thread_nothing_is_handled() -> None:
    before = signal.getsignal(signal.SIGTERM)
    other = threading.Thread(target=lambda: Sigterm().take())
    other.start()
    other.join()
    assert signal.getsignal(signal.SIGTERM) == before
