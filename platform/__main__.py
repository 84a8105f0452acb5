"""List of the commands: what `python -m platform` prints."""

from __future__ import annotations

import ast
from pathlib import Path

from platform.cli.parser import run
from platform.errors import UserError
from platform.files.opening import read_text

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


def list_commands(argv: list[str]) -> None:
    """Print every command with one line. UserError: the command was given as an argument."""
    if argv and argv[0] not in ("-h", "--help"):
        known = argv[0] if argv[0] in COMMANDS else "COMMAND"
        raise UserError(
            f"each command is a module, but got the argument {argv[0]!r}; run `python -m platform.{known}`."
        )
    width = max(map(len, COMMANDS))
    print("Commands (run from the repository root; each has --help):\n")
    for name in COMMANDS:
        print(f"  python -m platform.{name:<{width}}  {summary(name)}")
    print("\nStart with `python -m platform.tune`: it needs no data set and no GPU.")


def summary(command: str) -> str:
    """The first line of the command's docstring, read without importing the command."""
    file, package = (Path(__file__).with_name(name) for name in (f"{command}.py", command))
    source = read_text(package / "__main__.py" if package.is_dir() else file)
    text = ast.get_docstring(ast.parse(source)) or ""
    return text.splitlines()[0].rstrip(".")


if __name__ == "__main__":
    run(list_commands)
