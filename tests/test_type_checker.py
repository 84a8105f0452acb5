"""mypy, as configured in pyproject.toml, really checks a package named as a standard module is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WRONG = '''"""One mistake of types, one of a missing annotation."""

import platform
from platform.errors import UserError

SYSTEM: str = platform.system()


def length(error: UserError) -> int:
    """Not a length."""
    return error.no_such_attribute


def unannotated(value):
    """No types."""
    return value
'''


def run_mypy(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(folder / "cache"), "--no-error-summary"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """A small copy of the checkout with mypy's settings and the first files of every package."""
    shutil.copy(root / "pyproject.toml", tmp_path)
    for name in ("datasets", "search_spaces", "platform"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('"""A package."""\n')
    for name in ("__init__.py", "__init__.pyi", "errors.py"):
        shutil.copy(root / "platform" / name, tmp_path / "platform")
    return tmp_path


def test_mypy_accepts_the_facade_and_what_it_offers(checkout: Path) -> None:
    (checkout / "platform" / "right.py").write_text(WRONG[: WRONG.index("def length")])
    result = run_mypy(checkout)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("folder", ["platform", "datasets", "search_spaces"])
def test_mypy_finds_mistakes_in(folder: str, checkout: Path) -> None:
    (checkout / folder / "wrong.py").write_text(WRONG)
    result = run_mypy(checkout)
    assert result.returncode == 1, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"{folder}/wrong.py"] * 2
    assert "no_such_attribute" in lines[0]
    assert "missing a type annotation" in lines[1]
