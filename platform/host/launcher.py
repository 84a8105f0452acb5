"""How a command is started from the shell that the user is in, so that everything printed can be pasted.

Messages, help and stored commands name a command as `python -m platform.NAME`; what is shown to the user goes
through `pasteable`, which replaces that with the form that works there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = ROOT / "fer"
ELSEWHERE = "FER_ROOT"
"""Environment variable in which the launcher says where it lies: then the working directory may be any."""
_NAMED = re.compile(r"(?<![\w./-])python -m platform(?:\.(\w+))?(?=[\s`'\".,;:)]|$)")


def pasteable(text: str) -> str:
    """The text with every `python -m platform.NAME` as a command that works in this working directory."""
    return _NAMED.sub(lambda found: shlex.join(command_words(found[1] or "")), text)


def command_words(command: str) -> list[str]:
    """The words that start a command (`tune`; empty: the list of commands), from the working directory.

    The launcher, unless it would take another Python than the present one.
    """
    if LAUNCHER.is_file() and _takes_this_python():
        return [_as_program(LAUNCHER), *([command] if command else [])]
    return [this_python(), "-m", f"platform.{command}" if command else "platform"]


def this_python() -> str:
    """The current interpreter as a person would type it in the working directory."""
    if shutil.which("python") == sys.executable:
        return "python"
    relative = os.path.relpath(sys.executable)
    return sys.executable if relative.startswith("..") else relative


def default_folder(name: str) -> Path:
    """The folder `runs` or `data` without a flag: in the checkout, wherever the launcher was called."""
    root = os.environ.get(ELSEWHERE)
    if root is None or os.path.realpath(os.getcwd()) == os.path.realpath(root):
        return Path(name)
    return Path(root) / name


def _takes_this_python() -> bool:
    own = ROOT / ".venv"
    if own.is_dir():
        return os.path.realpath(own) == os.path.realpath(sys.prefix)
    return shutil.which("python3") == sys.executable


def _as_program(path: Path) -> str:
    """`./fer` in its own folder; from elsewhere the absolute path, unless the path goes down."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else os.path.join(".", relative)
