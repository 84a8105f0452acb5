"""A function of ours called in a process of its own: its crash, its memory and what it starts end there.

The function is named by its module and name, takes texts and returns what JSON can hold.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

REPOSITORY = Path(__file__).resolve().parents[2]


class ProbeError(Exception):
    """The function gave no answer; says why, in a few words."""


class Probe:
    """A called function. It works while this process does something else, and `answer` waits for it.

    A context: at its end the process and all that it started are gone. They also end with this process.
    """

    def __init__(
        self,
        function: str,
        *arguments: str,
        timeout_seconds: float,
        environment: Mapping[str, str] = os.environ,
        python: str = sys.executable,
    ) -> None:
        """function: `module:name`. timeout_seconds: from now on.

        ProbeError: the process cannot be started.
        """
        self._limit_seconds = timeout_seconds
        self._deadline = time.monotonic() + timeout_seconds
        # With it, Python would not import our folder `platform` first.
        kept = {name: value for name, value in environment.items() if name != "PYTHONSAFEPATH"}
        try:
            self._process = subprocess.Popen(
                [python, "-c", "from platform.host.probe import serve; serve()", function, *arguments],
                cwd=REPOSITORY,
                env=kept,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise ProbeError(f"{python} cannot be started: {error.strerror or error}") from error

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def answer(self) -> Any:
        """What the function returned. ProbeError: it failed, its process died, or time is up."""
        text = self._read()
        self.end()
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise ProbeError(_ended(self._process.returncode)) from error
        if "error" in answer:
            raise ProbeError(answer["error"])
        return answer["returned"]

    def _read(self) -> bytes:
        """What the process wrote until it ended; the pipe has no other writer."""
        stream, text = self._process.stdout, b""
        assert stream is not None
        while True:
            left = self._deadline - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                self.end()
                raise ProbeError(f"there was no answer within {self._limit_seconds:g} s")
            part = os.read(stream.fileno(), 2**16)
            if not part:
                return text
            text += part

    def end(self) -> None:
        """End the process and its group; nothing happens if it was ended before."""
        process = self._process
        if process.returncode is not None:
            return
        with suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, only ended processes
            os.killpg(process.pid, signal.SIGKILL)  # not reaped yet, so the number is still its own
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _ended(status: int) -> str:
    if status < 0:
        return f"its process was ended by {signal.Signals(-status).name}"
    return f"its process ended with status {status}"


def serve() -> NoReturn:
    """In the new process: call the function of the command line and write its answer to standard output."""
    function, *arguments = sys.argv[1:]
    asked, answers = os.dup(0), os.dup(1)  # not inherited by what the function starts
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    threading.Thread(target=_end_with_parent, args=(asked,), daemon=True).start()
    module, _, name = function.partition(":")
    try:
        answer = json.dumps({"returned": getattr(importlib.import_module(module), name)(*arguments)})
    except BaseException as error:
        first = (str(error).strip().splitlines() or [""])[0]
        why = f"{type(error).__name__}: {first}" if first else type(error).__name__
        answer = json.dumps({"error": why})
    with os.fdopen(answers, "wb") as stream:
        stream.write(answer.encode())
    os._exit(0)


def _end_with_parent(asked: int) -> None:
    """End this process and its group as soon as nobody holds the other end of standard input."""
    os.read(asked, 1)
    os.killpg(os.getpid(), signal.SIGKILL)
