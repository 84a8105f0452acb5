"""List of the commands, and the start of one: what `python -m platform` and `./fer` do."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

from platform.cli.parser import run
from platform.errors import unknown_name
from platform.files.opening import read_text
from platform.host.launcher import pasteable

COMMANDS = (
    "tune",
    "crossval",
    "transfer",
    "reproduce",
    "table",
    "runs",
    "prepare",
    "folds",
    "audit",
    "synthesize",
    "doctor",
)
"""In the order in which a reader meets them; each is a file of this folder, or a package with a
`__main__.py`."""


def start(argv: list[str]) -> int | None:
    """Run the command that the first argument names with the others; without any, list the commands.

    UserError: no such command.
    """
    if not argv or argv[0] in ("-h", "--help"):
        list_commands()
        return 0
    name, *others = argv
    if name not in COMMANDS:
        raise unknown_name("command", name, COMMANDS)
    package = Path(__file__).with_name(name).is_dir()
    module = importlib.import_module(f"platform.{name}.__main__" if package else f"platform.{name}")
    status: int | None = module.main(others)
    return status


def list_commands() -> None:
    """Print every command with one line."""
    width = max(map(len, COMMANDS))
    lines = ["Commands (each has --help):", ""]
    lines += [f"  python -m platform.{name:<{width}}  {summary(name)}" for name in COMMANDS]
    lines += ["", "Start with `python -m platform.tune`: it needs no data set and no GPU."]
    print(pasteable("\n".join(lines)))


def summary(command: str) -> str:
    """The first line of the command's docstring, read without importing the command."""
    file, package = (Path(__file__).with_name(name) for name in (f"{command}.py", command))
    source = read_text(package / "__main__.py" if package.is_dir() else file)
    text = ast.get_docstring(ast.parse(source)) or ""
    return text.splitlines()[0].rstrip(".")


if __name__ == "__main__":
    run(start)
