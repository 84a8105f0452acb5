"""Lines of C++ code and of child processes go to the log; Python keeps its screen and its streams."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from platform.host.native_output import native_output_to

WRITE = """
import os, subprocess, sys
from contextlib import redirect_stdout, suppress
from pathlib import Path
from platform.host.console import safe_streams
from platform.host.native_output import native_output_to
from platform.errors import ClusterLost

fault = {"lost": ClusterLost, "fault": RuntimeError, "none": None}[sys.argv[1]]
with safe_streams():
    held, lines = sys.stderr, sys.stdout
    print("before")
    with suppress(Exception), redirect_stdout(sys.stderr), native_output_to(Path("native.log")):
        os.write(1, b"C++ to 1\\n")
        os.write(2, b"C++ to 2\\n")
        subprocess.run(["echo", "child"], check=True)
        print("within", file=lines)
        print("error within", file=held)
        if fault:
            raise fault()
    os.write(1, b"C++ after\\n")
    print("after")
"""
LOGGED = "C++ to 1\nC++ to 2\nchild\n"


@pytest.mark.parametrize("unbuffered", [[], ["-u"]])
@pytest.mark.parametrize(
    ("end", "out", "logged"),
    [
        ("none", "before\nwithin\nC++ after\nafter\n", LOGGED),
        ("fault", "before\nwithin\nC++ after\nafter\n", LOGGED),
        ("lost", "before\nwithin\nafter\n", f"{LOGGED}C++ after\n"),
    ],
)
def test_only_what_python_prints_reaches_the_screen(
    root: Path, tmp_path: Path, unbuffered: list[str], end: str, out: str, logged: str
) -> None:
    """The streams are held by others beforehand, as a log and a display do."""
    written = subprocess.run(
        [sys.executable, *unbuffered, "-c", WRITE, end], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(root)}, check=False,
    )  # fmt: skip
    assert (written.returncode, written.stderr) == (0, "error within\n")
    assert written.stdout == out
    assert (tmp_path / "native.log").read_text() == logged


def test_captured_streams_are_left_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with native_output_to(tmp_path / "native.log"):
        print("captured")
        os.write(1, b"C++\n")
    os.write(1, b"after\n")
    out = capfd.readouterr().out
    assert "captured" in out
    assert "after" in out
    assert (tmp_path / "native.log").read_text() == "C++\n"
