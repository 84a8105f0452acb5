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


def check_interpreter() -> None:
    """End the process with one sentence and status 2 if this Python cannot run the commands."""
    version = (sys.version_info[0], sys.version_info[1])
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    fault = interpreter_fault(version, missing)
    if fault:
        sys.stderr.write(f"error: {fault}\n")
        raise SystemExit(2)
