"""The example files of configs/: each is read by the command that its comment names."""

from __future__ import annotations

import importlib
import shlex
from pathlib import Path

import pytest
import yaml

from tests.tiny_faces import SIZE, prepare_tiny

EXAMPLES = sorted((Path(__file__).parent.parent / "configs").glob("*.yaml"))
SMALL = (
    "--preset", "smoke", "--load-size-pixels", str(SIZE), "--image-size-pixels", "32", "--folds", "3",
    "--backbone", "resnet18", "--weights", "none",
)  # fmt: skip


def named_command(path: Path) -> tuple[str, list[str]]:
    """The command in the file's comment: its name and its arguments, with the file's own path."""
    (line,) = [one for one in path.read_text().splitlines() if one.startswith("#   ./fer ")]
    words = shlex.split(line.removeprefix("#   ./fer "))
    assert words[-2:] == ["--config", f"configs/{path.name}"]
    return words[0], [*words[1:-1], str(path)]


def test_there_is_one_for_each_data_set_of_the_paper() -> None:
    assert {path.stem for path in EXAMPLES} == {"ckplus", "mmi", "affectnet"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_what_the_file_says_is_what_the_command_uses(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command, argv = named_command(path)
    assert importlib.import_module(f"platform.{command}").main([*argv, "--print-config"]) == 0
    used = yaml.safe_load(capsys.readouterr().out)
    said = yaml.safe_load(path.read_text())
    assert {name: used[name] for name in said} == said


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_command_plans_its_runs_on_a_small_copy(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, without in (("ckplus", ()), ("mmi", ()), ("affectnet", ("neutral",))):
        prepare_tiny(tmp_path, name, subjects=9, others=name, without=without)
    command, argv = named_command(path)
    small = SMALL if command != "tune" else (*SMALL, "--trials", "4", "--rounds", "2,1", "--space", "quick")
    places = ["--data-root", str(tmp_path), "--runs", str(tmp_path / "runs"), "--dry-run"]
    assert importlib.import_module(f"platform.{command}").main([*argv, *small, *places]) == 0
    out = capsys.readouterr().out
    assert out.endswith("# dry run: nothing was run\n")
    assert f"on {path.stem}" in out or f"# {path.stem}: " in out
