"""A dry run leaves every file and folder as it was: data, results, working folder, home."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from datasets.prepared import verified_files
from datasets.prepared.store import store_folder
from platform.cli.parser import run
from tests.tiny_faces import SIZE, prepare_tiny

DryRun = Callable[[str, list[str]], tuple[object, str, str]]

LEFT_OUT = ["--leave-one-out", "synthetic,synthetic_mmi", "--classes", "common"]
DRY_RUNS = {
    "tune": [["--storage", "sqlite:///study.db", "--trials", "2"]],
    "crossval": [["--backbone", "resnet18"]],
    "transfer": [["--source", "synthetic", "--target", "synthetic_wild"], LEFT_OUT],
    "reproduce": [["--no-controls", "--lambdas", "1"]],
}
"""Arguments of every command that can be run dry."""


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Time of change and content of everything under `folder`, and of itself."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in [folder, *sorted(folder.rglob("*"))]
    }


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds all that a command may write to."""
    for name in ("cwd", "home", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


@pytest.fixture
def dry(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> DryRun:
    """Runs a command dry, in this process; exit status, stdout, stderr."""

    def ended(command: str, argv: list[str]) -> tuple[object, str, str]:
        more = ["--preset", "smoke", "--folds", "3", "--log-json", "events.jsonl", "--dry-run"]
        more = more if argv != LEFT_OUT else [*more[:2], *more[4:]]
        monkeypatch.setattr(sys, "argv", [command, *argv, *more])
        main = importlib.import_module(f"platform.{command}").main
        with pytest.raises(SystemExit) as status:
            run(main)
        return (status.value.code, *capsys.readouterr())

    return ended


CASES = [(command, argv) for command, every in DRY_RUNS.items() for argv in every]


@pytest.mark.parametrize(("command", "argv"), CASES)
def test_on_a_fresh_checkout_it_plans_the_sets_that_are_not_drawn(
    command: str, argv: list[str], world: Path, dry: DryRun
) -> None:
    before = snapshot(world)
    status, out, err = dry(command, argv)
    assert (status, err) == (0, "")
    assert "is not prepared; a real start" in out
    assert snapshot(world) == before


@pytest.mark.parametrize(("command", "argv"), CASES)
def test_where_the_sets_are_there_they_are_verified_and_nothing_is_written(
    command: str, argv: list[str], world: Path, dry: DryRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, others in (("synthetic", ""), ("synthetic_mmi", "some "), ("synthetic_wild", "more ")):
        prepare_tiny(world / "cwd" / "data", name, subjects=9, others=others)
    monkeypatch.setattr(verified_files, "SETTLED_SECONDS", -1.0)
    before = snapshot(world)
    status, out, err = dry(command, argv)
    assert (status, err) == (0, "")
    assert out.count("is not prepared; a real start") == (argv == LEFT_OUT)  # the sets as one
    assert snapshot(world) == before
    images = store_folder(world / "cwd" / "data", "synthetic", SIZE) / "images.npy"
    images.write_bytes(images.read_bytes()[:-1] + b"\0")
    status, _, err = dry(command, argv)
    assert status == 2
    assert "images.npy does not match the hash" in err


def test_every_command_with_that_flag_is_tried(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = set()
    for path in sorted((root / "platform").glob("*.py")):
        if re.search(r"^def main\(", path.read_text(), flags=re.M):
            with contextlib.suppress(SystemExit):
                importlib.import_module(f"platform.{path.stem}").main(["--help"])
            if "--dry-run" in capsys.readouterr().out:
                found.add(path.stem)
    assert found == set(DRY_RUNS)
