"""No command takes an address for a file or folder, whatever the flag; databases and clusters have one."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from platform.__main__ import COMMANDS
from platform.cli.asked_method import asked_method
from platform.cli.given_paths import TAKE_AN_ADDRESS, refuse_addresses
from platform.cli.parser import Parser
from platform.cli.settings_reader import read_settings
from platform.errors import UserError

ADDRESS = "s3://bucket/folder"


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def main_of(command: str) -> object:
    folder = Path(__file__).parents[2] / "platform" / command
    return importlib.import_module(f"platform.{command}" + (".__main__" if folder.is_dir() else "")).main


def flags_of(command: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[str], argparse.Action]]:
    """Every flag and positional argument that takes a value, with the words of the action before it."""
    parsers: list[Parser] = []
    monkeypatch.setattr(Parser, "parse_args", lambda self, *_: parsers.append(self) or self.exit())
    with pytest.raises(SystemExit):
        main_of(command)([])  # type: ignore[operator]
    monkeypatch.undo()
    for action in parsers[-1]._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, parser in action.choices.items():
                yield from (([name], one) for one in parser._actions if one.nargs != 0)
        elif action.nargs != 0:
            yield [], action


def test_every_flag_of_every_command_refuses_one(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0
    for words, action in flags_of(command, monkeypatch):
        flag = next(iter(action.option_strings), "")
        if flag in TAKE_AN_ADDRESS:
            continue
        for given in [[flag, ADDRESS], [f"{flag}={ADDRESS}"]] if flag else [[ADDRESS]]:
            with pytest.raises(UserError, match=f"but {flag or 'an argument'} is '{ADDRESS}'; mount"):
                main_of(command)([*words, *given])  # type: ignore[operator]
            tried += 1
    assert tried > 3


def test_the_method_and_its_settings_are_looked_for_at_no_address() -> None:
    for flag in ("--method", "--plugins", "--config"):
        with pytest.raises(UserError, match=f"but {flag} is"):
            asked_method([flag, ADDRESS])


def test_databases_and_clusters_have_an_address() -> None:
    refuse_addresses(["--storage", "postgresql://u@host/db", "--address=ray://host:10001", "--runs", "runs"])
    refuse_addresses(["--masks", "released", "/data/masks"])
    with pytest.raises(UserError, match="but --masks is"):
        refuse_addresses(["--storage", "postgresql://u@host/db", "--masks", "released", ADDRESS])


@pytest.mark.parametrize("key", ["weights", "space", "fold_list", "masks"])
def test_a_settings_file_names_none_either(key: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(f"{key}: [released, '{ADDRESS}']\n" if key == "masks" else f"{key}: {ADDRESS}\n")
    with pytest.raises(UserError, match=f"but {key} in {path} is '{ADDRESS}'; mount"):
        read_settings(path, "fmpn")


def test_a_settings_file_may_name_a_database(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("storage: postgresql://u@host/db\n")
    assert read_settings(path, "fmpn") == {"storage": "postgresql://u@host/db"}
