"""A file of the package that is run directly says how to start it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("file", ["tune.py", "platform.py", "__main__.py"])
def test_a_file_that_is_run_directly_is_one_sentence_with_status_2(root: Path, file: str) -> None:
    done = subprocess.run(
        [sys.executable, f"platform/{file}"], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        f"error: platform/{file} is part of a package and does not run on its own; "
    )
    assert done.stderr.count("\n") == 1
    assert f"{root}/fer " in done.stderr
