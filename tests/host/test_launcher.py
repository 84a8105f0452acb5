"""`./fer`, from any folder, and commands that are printed as they work there."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from platform.host import launcher
from platform.host.launcher import LAUNCHER, command_words, default_folder, pasteable


def fer(
    *words: str, cwd: Path, program: Path = LAUNCHER, **environment: str
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "FER_ROOT"}}
    return subprocess.run(
        [str(program), *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**clean, **environment},
    )


def test_commands_are_named_as_they_work_here(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "_takes_this_python", lambda: True)
    monkeypatch.chdir(root)
    assert pasteable("run `python -m platform.table --runs x`.") == "run `./fer table --runs x`."
    assert pasteable("python -m platform.tune") == "./fer tune"
    assert pasteable("see python -m platform, then") == "see ./fer, then"
    assert pasteable("/usr/bin/python -m platform.tune") == "/usr/bin/python -m platform.tune"
    monkeypatch.chdir(tmp_path)
    assert pasteable("python -m platform.tune --x") == f"{shlex.quote(str(LAUNCHER))} tune --x"
    monkeypatch.chdir(root.parent)
    assert command_words("tune") == [f"./{root.name}/fer", "tune"]


def test_another_python_than_the_launchers_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "_takes_this_python", lambda: False)
    monkeypatch.chdir(root)
    assert command_words("tune")[1:] == ["-m", "platform.tune"]
    assert command_words("")[1:] == ["-m", "platform"]


def test_folders_without_a_flag_are_those_of_the_checkout(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FER_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    assert default_folder("runs") == Path("runs")
    monkeypatch.setenv("FER_ROOT", str(root))
    assert default_folder("runs") == root / "runs"
    monkeypatch.chdir(root)
    assert default_folder("runs") == Path("runs")


def test_it_lists_and_starts_commands_from_any_folder_and_through_a_link(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "somewhere" / "fer"
    link.parent.mkdir()
    link.symlink_to(os.path.relpath(LAUNCHER, link.parent))
    (tmp_path / "platform").mkdir()
    (tmp_path / "platform" / "tune.py").write_text("raise AssertionError")
    (tmp_path / "yaml.py").write_text("raise AssertionError")
    listed = fer(cwd=tmp_path, program=link)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "tune " in listed.stdout
    runs = str(tmp_path / "absent")
    table = fer("table", "--runs", runs, cwd=tmp_path, program=link)
    assert table.returncode == 2
    assert table.stderr.startswith(
        f"error: the runs folder must hold an experiment, but {runs} does not exist; run"
    )
    started = fer("crossval", "--print-config", cwd=tmp_path, PYTHONSAFEPATH="1")
    assert (started.returncode, started.stderr) == (0, "")
    assert "preset: quick" in started.stdout


def test_an_unknown_command_names_the_nearest(root: Path) -> None:
    done = fer("tabel", cwd=root)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: unknown command 'tabel'; did you mean 'table'?")


def test_a_checkout_without_any_python_is_one_sentence(tmp_path: Path) -> None:
    copy = tmp_path / "my checkout" / "fer"
    copy.parent.mkdir()
    shutil.copy(LAUNCHER, copy)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "readlink"):
        (tools / name).symlink_to(str(shutil.which(name)))
    done = fer(cwd=tmp_path, program=copy, PATH=str(tools))
    assert done.returncode == 2
    assert done.stderr.startswith("error: a Python 3.11 to 3.13 is needed, but ")
    assert done.stderr.count("\n") == 1


def test_the_checkouts_own_python_comes_first(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    (copy / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(LAUNCHER, copy / "fer")
    python = copy / ".venv" / "bin" / "python"
    python.write_text(
        f"#!/bin/sh\nexec {shlex.quote(sys.executable)} -c 'import sys; print(sys.argv)' \"$@\"\n"
    )
    python.chmod(0o755)
    done = fer("tune", "--name", "two words", cwd=tmp_path, program=copy / "fer")
    assert done.stdout == "['-c', '-m', 'platform', 'tune', '--name', 'two words']\n", done.stderr
