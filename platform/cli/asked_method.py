"""The method that a command line asks for, known before its flags are: they are made from its options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from platform.cli.given_paths import refuse_addresses
from platform.cli.settings_reader import check_plugins, preset_of
from platform.errors import UserError
from platform.files.yaml_files import read_yaml
from platform.models import load_method
from platform.models.plugins import read_plugin, register

DEFAULT_METHOD, DEFAULT_PRESET = "fmpn", "quick"


def asked_method(argv: Sequence[str]) -> str:
    """The name that `--method` gives, else that of the YAML file in `--config`, else FMPN's.

    Plug-ins are registered: `--method FILE.py:Class`, and all methods in the folders of `--plugins`.
    UserError: an unknown method, a plug-in that cannot be loaded, an address where a path belongs.
    """
    refuse_addresses(argv)
    given = _first_flags(argv)
    if given.plugins:
        register_folder(Path(given.plugins))
    if given.method and given.method.partition(":")[0].endswith(".py"):
        return register(read_plugin(given.method)).name
    name = given.method or _in_file(given.config) or DEFAULT_METHOD
    return load_method(name).name


def asked_preset(argv: Sequence[str]) -> str:
    """The preset that `--preset` names, else the YAML file in `--config`, else `quick`."""
    given = _first_flags(argv)
    return given.preset or (preset_of(Path(given.config)) if given.config else None) or DEFAULT_PRESET


def _first_flags(argv: Sequence[str]) -> argparse.Namespace:
    """The flags that decide which others there are; None where the full parser reports what is wrong."""
    names = ("method", "config", "plugins", "preset")
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name in names:
        first.add_argument(f"--{name}", nargs="?")
    try:
        return first.parse_known_args(list(argv))[0]
    except (argparse.ArgumentError, SystemExit):
        return argparse.Namespace(**dict.fromkeys(names))


def register_folder(folder: Path) -> None:
    """Register the methods of all Python files in the folder, one a file, but those that begin with `_`.

    UserError: no such file, or one that is no method's.
    """
    files = sorted(path for path in folder.expanduser().glob("*.py") if not path.name.startswith("_"))
    if not files:
        raise UserError(
            f"--plugins must name a folder with a file for each method, but {folder} has no Python file; "
            "correct the path."
        )
    for file in files:
        try:
            register(read_plugin(str(file)))
        except UserError as error:
            raise UserError(f"--plugins {folder}: {error}") from error


def _in_file(config: str | None) -> str | None:
    """The `method` of a YAML file; None without one. A plug-in is never named by a file."""
    if config is None or not Path(config).is_file():
        return None  # the resolution of the settings reports a missing file
    content = read_yaml(Path(config), remedy="check --config.")
    name = content.get("method") if isinstance(content, dict) else None
    if isinstance(content, dict):
        check_plugins(content, Path(config), str(name))
    if isinstance(name, str) and name.partition(":")[0].endswith(".py"):
        raise UserError(
            f"a file of a method can only be given by flag, but {config} says method {name}; pass --method "
            f"{name}."
        )
    return name if isinstance(name, str) else None
