"""Every command of docs/tutorial.md, run in its order on a synthetic copy of CK+."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.distributed.processes import LINUX_ONLY

pytestmark = [LINUX_ONLY, pytest.mark.timeout(900)]

TRAINING = ("./fer tune --dataset ckplus --preset smoke", "./fer crossval")
"""How the commands begin that train nets; with them, those on their results are run in the slow tests."""


def commands(root: Path) -> list[str]:
    """The commands of the page, in order."""
    lines, inside = [], False
    for line in (root / "docs" / "tutorial.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = line == "```sh"
        elif inside:
            lines.append(line)
    return lines


def needs_results(command: str) -> bool:
    """Whether it trains, or shows what was trained."""
    return command.startswith(TRAINING) or "smoke" in command


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Path]:
    """A folder that stands for the checkout, so that nothing is written into the repository."""
    folder = Path(tmp_path_factory.mktemp("t"))
    shutil.copy(root / "fer", folder)
    for name in (".venv", "platform", "datasets", "search_spaces", "requirements.lock"):
        (folder / name).symlink_to(root / name)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def run(place: Path, command: str) -> str:
    """The output of a command of the page, with CK+ in this folder. It must succeed."""
    words = shlex.split(command.replace("~/CK+", str(place / "CK+")))
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_page_is_two_pages_with_commands_of_this_checkout(root: Path) -> None:
    found = commands(root)
    assert all(command.startswith("./fer ") for command in found)
    assert len((root / "docs" / "tutorial.md").read_text(encoding="utf-8").splitlines()) < 120
    assert sum(needs_results(command) for command in found) >= 5


def test_from_the_copy_to_the_plan_of_the_paper(place: Path, root: Path) -> None:
    """All commands that need no results: the doctor may find faults of the machine that runs the tests."""
    shown = {
        command: run(place, command)
        for command in commands(root)
        if not needs_results(command) and command != "./fer doctor"
    }
    audit = next(text for command, text in shown.items() if command.startswith("./fer audit"))
    assert audit.splitlines()[-1].startswith("disjoint and covering")
    assert (place / "data" / "prepared" / "ckplus-320" / "preview.png").is_file()
    assert not (place / "runs" / "experiments").exists(), "a dry run wrote results"


@pytest.mark.slow
@pytest.mark.ray
def test_from_a_search_to_the_table(place: Path, root: Path) -> None:
    for command in commands(root):
        is_prepared = (place / "data" / "prepared").exists()
        if command != "./fer doctor" and (needs_results(command) or not is_prepared):
            run(place, command)
    assert "fmpn" in (place / "table.csv").read_text().lower()
    assert "tabular" in (place / "table.tex").read_text()
