"""On a machine with a GPU: a command uses it without being told to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.ray
def test_a_command_trains_on_the_gpu_and_its_fold_runs_share_it(root: Path, tmp_path: Path) -> None:
    argv = ["--preset", "smoke", "--folds", "2", "--baselines", "", "--runs", str(tmp_path / "runs")]
    command = [sys.executable, "-m", "platform.crossval", *argv, "--data-root", str(tmp_path / "data")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = (one for one in done.stdout.splitlines() if one.startswith("# device: "))
    assert line.endswith(" a fold run, measured"), line
    records = sorted((tmp_path / "runs/fold_runs").glob("*/record.json"))
    assert len(records) == 2
    assert {json.loads(path.read_text())["device"] for path in records} == {"cuda"}
