"""Whether this Python can run the commands.

Older Pythons must be able to read this file, to get as far as the message.
"""

from __future__ import annotations

import importlib.util
import sys

OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED = ("numpy", "optuna", "ray", "torch", "yaml")
"""Some of the locked packages, of every kind: where one is missing, all are."""


def interpreter_fault(version: tuple[int, int], missing: list[str]) -> str:
    """What is wrong with a Python of that version that lacks these packages; empty if nothing is."""
    setup = "run `make setup` in the checkout, then ./fer or .venv/bin/python."
    if not OLDEST <= version <= NEWEST:
        return (
            f"Python 3.{OLDEST[1]} to 3.{NEWEST[1]} is needed, but {sys.executable} is "
            f"{version[0]}.{version[1]}; {setup}"
        )
    if missing:
        return f"the locked packages are needed, but {sys.executable} has no {', '.join(missing)}; {setup}"
    return ""


def is_doctor(words: list[str]) -> bool:
    """Whether the words of a command line start the doctor: `-m platform.doctor`, or `-m platform doctor`."""
    if "-m" not in words:
        return False
    module = words[words.index("-m") + 1 :]
    return module[:1] == ["platform.doctor"] or module[:2] == ["platform", "doctor"]


def check_interpreter() -> None:
    """End the process with one sentence and status 2 if this Python cannot run the command.

    The doctor runs without packages, because it says which ones are missing.
    """
    version = (sys.version_info[0], sys.version_info[1])
    needed = () if is_doctor(getattr(sys, "orig_argv", [])) else NEEDED
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    fault = interpreter_fault(version, missing)
    if fault:
        sys.stderr.write(f"error: {fault}\n")
        raise SystemExit(2)
