"""A function called in a process of its own, so that what it takes (GPU memory, a crash) ends with it."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any


class OwnProcessError(Exception):
    """The function gave no answer; says why."""


def in_own_process(function: Callable[..., Any], *arguments: Any, timeout_seconds: float) -> Any:
    """What `function`, found by its module and name, returns in a new interpreter.

    OwnProcessError: it raised an error, its process died or could not be started, or there was no answer in
    time.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(function, arguments, sending), daemon=True)
    try:
        process.start()
    except (OSError, pickle.PicklingError, TypeError, AttributeError) as error:
        raise OwnProcessError(f"it cannot be handed to a process of its own: {error}") from error
    finally:
        sending.close()
    try:
        if not receiving.poll(timeout_seconds):
            raise OwnProcessError(f"there was no answer within {timeout_seconds:g} s")
        succeeded, answer = receiving.recv()
    except EOFError as error:
        process.join()
        raise OwnProcessError(f"its process ended with status {process.exitcode}") from error
    finally:
        process.kill()
        process.join()
        receiving.close()
    if not succeeded:
        raise OwnProcessError(answer)
    return answer


def _answer(function: Callable[..., Any], arguments: tuple[Any, ...], sending: Connection) -> None:
    try:
        message = (True, function(*arguments))
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0]
        message = (False, f"{type(error).__name__}: {first}")
    sending.send(message)
