"""Interpreter and packages, compared with the versions that this repository asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from platform.diagnosis.packages import (
    NEWEST,
    OLDEST,
    applies,
    installed_packages,
    locked_packages,
    normal,
    packages,
    python_version,
)

LOCK = """\
numpy==2.4.0 ; sys_platform == 'linux' or (platform_machine == 'arm64' and sys_platform == 'darwin') \\
    --hash=sha256:00
    # via
    #   fer-platform
torch==2.13.0 \\
    --hash=sha256:00
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:00
PyYAML==6.0.3
"""
VERSIONS = {"numpy": "2.4.0", "torch": "2.13.0+cpu", "pyyaml": "6.0.3", "unrelated": "1"}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(LOCK)
    return path


def test_the_lock_file_is_read_with_versions_and_markers(lock: Path) -> None:
    found = locked_packages(lock)
    assert list(found) == ["numpy", "torch", "colorama", "pyyaml"]
    assert found["torch"] == ("2.13.0", "")
    assert found["colorama"] == ("0.4.6", "sys_platform == 'win32'")


def test_every_package_of_the_real_lock_file_is_read(root: Path) -> None:
    lines = (root / "requirements.lock").read_text().splitlines()
    names = {normal(line.partition("==")[0]) for line in lines if re.match(r"[\w.-]+==", line)}
    found = locked_packages()
    assert found.keys() == names
    assert len(found) > 100
    for _, marker in found.values():
        applies(marker)


def test_this_environment_has_torch() -> None:
    assert "torch" in installed_packages()


def look(lock: Path, venv: Path = Path("/no"), **installed: str) -> tuple[str, str, str]:
    found = packages(lambda: locked_packages(lock), lambda: installed, applies, "/elsewhere/bin/python", venv)
    return found.state, found.value, found.remedy


def test_all_packages_in_their_versions_are_well_whatever_their_build(lock: Path) -> None:
    assert look(lock, **VERSIONS) == ("ok", "3, as in requirements.lock", "")


def test_another_version_is_a_warning_that_names_both(lock: Path) -> None:
    state, value, remedy = look(lock, **{**VERSIONS, "torch": "2.11.0+cu130"})
    assert state == "warning"
    assert "torch 2.11.0+cu130, not 2.13.0" in value
    assert "make setup" in remedy


def test_a_missing_package_fails_and_is_named(lock: Path) -> None:
    state, value, remedy = look(lock, numpy="2.4.0", torch="1")
    assert state == "failed"
    assert "missing 1 (pyyaml); different 1 (torch 1, not 2.13.0)" in value
    assert remedy == "make setup"


def test_another_interpreter_than_the_checkouts_is_the_remedy(lock: Path, tmp_path: Path) -> None:
    venv = tmp_path / "python"
    venv.touch()
    assert look(lock, venv)[2] == "use the checkout's own interpreter, .venv/bin/python"


def test_without_the_package_that_reads_markers_all_are_compared(lock: Path) -> None:
    def unknown(marker: str) -> bool:
        raise ImportError

    found = packages(lambda: locked_packages(lock), dict, unknown)
    assert found.state == "failed"
    assert "missing 4" in found.value


def test_many_missing_packages_are_counted() -> None:
    found = packages(lambda: {f"p{n}": ("1", "") for n in range(9)}, dict)
    assert "9 (p0, p1, p2, p3, p4 and 4 more)" in found.value


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 10, 9), "failed"), ((3, 11, 0), "ok"), ((3, 13, 9), "ok"), ((3, 14, 0), "failed")],
)
def test_the_interpreter_must_be_of_a_version_that_works(version: tuple[int, ...], state: str) -> None:
    found = python_version(version, "/usr/bin/python3")
    assert found.state == state
    assert "/usr/bin/python3" in found.value
    assert bool(found.remedy) == (state == "failed")


def test_the_versions_are_those_of_the_project(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    after = f"{NEWEST[0]}.{NEWEST[1] + 1}"
    assert project["requires-python"] == f">={OLDEST[0]}.{OLDEST[1]},<{after}"
