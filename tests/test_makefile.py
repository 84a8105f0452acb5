"""`make setup` in a copy of the Makefile: what it refuses before it makes or empties anything."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

MAKE = shutil.which("make")
FAKE_PYTHON = """#!/bin/sh
echo "$@" >> called
"""


@pytest.mark.skipif(MAKE is None, reason="needs make")
def test_setup_never_empties_what_a_linked_venv_points_to(root: Path, tmp_path: Path) -> None:
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    for folder in (checkout, elsewhere):
        folder.mkdir()
    shutil.copy(root / "Makefile", checkout)
    (checkout / "requirements.lock").write_text("")
    (checkout / "python").write_text(FAKE_PYTHON)
    (checkout / "python").chmod(0o755)
    (elsewhere / "kept").write_text("precious")
    (checkout / ".venv").symlink_to(elsewhere)
    assert MAKE is not None
    made = subprocess.run(
        [MAKE, "setup", "PYTHON=./python"], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert made.returncode == 2
    assert f"but .venv is one: the folder that it points to ({elsewhere}) would be emptied" in made.stdout
    assert (elsewhere / "kept").read_text() == "precious"
    assert not (checkout / "called").exists(), "no Python was started"
