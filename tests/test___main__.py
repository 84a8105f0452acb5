"""`python -m platform` from the repository root."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from platform.__main__ import COMMANDS, start, summary
from platform.errors import UserError


def test_python_m_platform_lists_every_command_with_a_line(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "platform"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        (line,) = [line for line in done.stdout.splitlines() if f"./fer {name} " in line]
        assert summary(name) in line
        assert len(line) <= 100


def test_the_list_is_complete(root: Path) -> None:
    files = {path.stem for path in (root / "platform").glob("*.py") if "\ndef main(" in path.read_text()}
    packages = {path.parent.name for path in (root / "platform").glob("*/__main__.py")}
    assert files | packages == set(COMMANDS)


def test_a_command_as_an_argument_is_started_with_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["crossval", "--print-config", "--seed", "3"]) == 0
    assert "seed: 3\n" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        start(["runs", "--help"])
    assert ended.value.code == 0


def test_an_unknown_command_names_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown command 'tun'; did you mean 'tune'"):
        start(["tun"])
