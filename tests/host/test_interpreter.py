from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from platform.host.interpreter import check_interpreter, interpreter_fault, is_doctor


@pytest.mark.parametrize(
    ("version", "missing", "parts"),
    [
        ((3, 10), [], ["Python 3.11 to 3.13 is needed", "is 3.10; run `make setup`"]),
        ((3, 14), [], ["is 3.14"]),
        ((3, 12), ["torch", "ray"], [f"{sys.executable} has no torch, ray; run `make setup`"]),
    ],
)
def test_another_python_is_one_sentence(
    version: tuple[int, int], missing: list[str], parts: list[str]
) -> None:
    fault = interpreter_fault(version, missing)
    assert all(part in fault for part in parts)
    assert "\n" not in fault


def test_this_python_is_the_right_one() -> None:
    assert interpreter_fault((3, 11), []) == interpreter_fault((3, 13), []) == ""
    check_interpreter()


def test_a_python_without_packages_ends_with_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        check_interpreter()
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: the locked packages are needed, but ")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python -m platform.doctor --json -", True),
        ("python -B -m platform doctor", True),
        ("python -m platform.tune doctor", False),
        ("python platform/doctor.py", False),
    ],
)
def test_the_doctor_runs_without_packages(
    monkeypatch: pytest.MonkeyPatch, command: str, expected: bool
) -> None:
    assert is_doctor(command.split()) is expected
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("sys.orig_argv", command.split())
    if expected:
        check_interpreter()
    else:
        with pytest.raises(SystemExit):
            check_interpreter()


@pytest.mark.parametrize(
    "file", ["host/interpreter.py", "host/__init__.py", "cli/__init__.py", "__init__.py"]
)
def test_older_pythons_can_read_what_tells_them(root: Path, file: str) -> None:
    ast.parse((root / "platform" / file).read_text(), feature_version=(3, 7))
