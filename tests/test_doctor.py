"""`python -m platform.doctor`: lines, JSON, exit status; without packages too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from platform.diagnosis import checks
from platform.diagnosis.finding import Check, Finding
from platform.doctor import LINE_WIDTH, lines, main, summary
from platform.errors import UserError

WELL = Finding("ok", "CPUs", "4 usable of 4")
WARNING = Finding("warning", "GPU", "none: this machine has no GPU", "nothing to do.")
FAILED = Finding("failed", "Ray", "did not start: Too many open files", "ulimit -n 8192")
SLOW = ["--skip", "libraries", "gpu", "bf16", "weights", "ray"]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What the checks find, to be filled by the test."""
    made: list[Finding] = []

    @contextmanager
    def fake(runs: Path, data_root: Path, skipped: Collection[str]) -> Iterator[list[Check]]:
        yield [Check("a", lambda: made)]

    monkeypatch.setattr(checks, "all_checks", fake)
    return made


def test_every_finding_is_a_line_with_a_sign_and_a_remedy(
    found: list[Finding], capsys: pytest.CaptureFixture[str]
) -> None:
    found += [WELL, WARNING, FAILED]
    assert main([]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split() == ["✓", "CPUs", "4", "usable", "of", "4"]
    assert printed[1].startswith("! GPU ")
    assert printed[2].strip() == "→ nothing to do"
    assert printed[3].startswith("✗ Ray ")
    assert printed[5] == "1 well, 1 warning, 1 missing: follow the lines that begin with ✗"


def test_warnings_alone_are_no_failure(found: list[Finding]) -> None:
    found += [WELL, WARNING]
    assert main([]) == 0
    assert summary(found) == "1 well, 1 warning: commands can run here"


def test_json_is_for_programs(
    found: list[Finding], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found += [WELL, FAILED]
    assert main(["--json", "-"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record == {"format": "doctor", "findings": [WELL.as_record(), FAILED.as_record()]}
    main(["--json", str(tmp_path / "found.json")])
    assert json.loads((tmp_path / "found.json").read_text()) == record
    assert "✓ CPUs" in capsys.readouterr().out


def test_long_lines_are_broken_and_control_characters_written_out() -> None:
    shown = lines(Finding("failed", "runs", "word " * 60 + "\x1b[31m", "remedy " * 40))
    assert len(shown) > 4
    assert max(map(len, shown)) <= LINE_WIDTH
    assert "\x1b" not in "".join(shown)


@pytest.mark.parametrize("wrong", [["--nothing"], ["--skip"], ["extra"]])
def test_a_wrong_flag_ends_with_status_2(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(wrong)
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_an_unknown_check_is_refused() -> None:
    with pytest.raises(UserError, match="rai"):
        main(["--skip", "rai"])


def test_the_folders_of_the_flags_are_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["--runs", str(tmp_path / "file"), "--data-root", str(tmp_path / "data"), *SLOW]) == 1
    printed = "".join(capsys.readouterr().out.split())
    assert "cannotbewritten:Notadirectory" in printed
    assert f"nonein{tmp_path}/data/prepared" in printed


def doctor(python: str, root: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "platform.doctor", *words],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def test_a_terminal_without_the_signs_gets_plain_ones(root: Path) -> None:
    done = doctor(sys.executable, root, *SLOW, PYTHONIOENCODING="ascii")
    assert done.returncode in (0, 1)
    assert done.stdout.startswith("+ Python ")
    assert done.stdout.isascii()
    assert not done.stderr


def test_an_interpreter_without_packages_gets_lines_not_a_traceback(root: Path, tmp_path: Path) -> None:
    """The processes that it starts find none either: a file `sitecustomize` takes them all away."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.path = [p for p in sys.path if 'site-packages' not in p]\n"
    )
    done = doctor(sys.executable, root, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert not done.stderr
    assert "Traceback" not in done.stdout
    shown = " ".join(done.stdout.split())
    for text in ("✗ packages", "✗ imports", "✗ Ray did not", "✓ Ray's folder", "No module named 'torch'"):
        assert text in shown
