"""kill -9 of the driver in the middle of a search: the same command completes with the same table."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from platform.results.store import ResultsStore
from platform.results.study import open_storage
from tests.distributed.processes import carrying

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--preset", "smoke", "--backbone", "resnet18", "--trials", "2", "--folds", "4", "--rounds", "2,2"]
FEWER = ["--baselines", "cnn", "--transfer-to", "none", "--name", "killed"]
MARK = "FER_TEST_OF_A_KILL"
"""In the environment of every process of a run, so that what is left of it can be found."""


def command(runs: Path, data: Path) -> list[str]:
    """`tune` on the embedded set, small: 4 folds, 2 trials, one baseline."""
    where = ["--runs", str(runs), "--data-root", str(data)]
    return [sys.executable, "-m", "platform.tune", *SMALL, *FEWER, *where]


def environment(mark: str) -> dict[str, str]:
    """Ours, marked; Ray's own settings of the test session are left out."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | {MARK: mark}


def run_to_the_end(runs: Path, data: Path) -> None:
    """Run the command; its whole output is in the failure when it fails."""
    done = subprocess.run(
        command(runs, data),
        cwd=ROOT,
        env=environment("end"),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def manifests(runs: Path) -> dict[str, tuple[int, int]]:
    """Finished results to inode and time of change of their manifests."""
    found = [*runs.glob("fold_runs/*/manifest.json"), *runs.glob("stage1/*/manifest.json")]
    return {str(path.relative_to(runs)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def kill_after(count: int, runs: Path, data: Path) -> None:
    """Start the command, and kill -9 its driver once `count` results are stored."""
    driver = subprocess.Popen(
        command(runs, data),
        cwd=ROOT,
        env=environment("killed"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while len(manifests(runs)) < count:
            assert driver.poll() is None, f"the driver ended by itself with {driver.returncode}"
            time.sleep(0.1)
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()


def wait_until_gone(mark: str, seconds: float = 120) -> None:
    """Wait for all processes of the killed run to end by themselves."""
    deadline = time.monotonic() + seconds
    while left := carrying(MARK, mark):
        assert time.monotonic() < deadline, f"left of the killed run: {left}"
        time.sleep(0.5)


def test_a_killed_driver_loses_nothing_and_the_same_command_gives_the_same_table(tmp_path: Path) -> None:
    data, quiet, killed = tmp_path / "data", tmp_path / "quiet", tmp_path / "killed"
    run_to_the_end(quiet, data)
    for count in (5, 14):  # in the search, then later
        kill_after(count, killed, data)
        wait_until_gone("killed")
    finished = manifests(killed)
    assert len(finished) >= 14
    run_to_the_end(killed, data)

    after = manifests(killed)
    assert {name: after[name] for name in finished} == finished, "a finished run ran again"
    assert after.keys() == manifests(quiet).keys()
    for name in ("table.md", "table.csv", "table.json"):
        expected = (ResultsStore(quiet).experiment_folder("killed") / name).read_bytes()
        assert (ResultsStore(killed).experiment_folder("killed") / name).read_bytes() == expected
    trials = [experiment_trials(runs) for runs in (quiet, killed)]
    assert trials[0] == trials[1]
    assert study_states(killed) == study_states(quiet)
    assert "RUNNING" not in study_states(killed)


def experiment_trials(runs: Path) -> list[dict[str, object]]:
    """The study's trials as the experiment describes them."""
    text = (ResultsStore(runs).experiment_folder("killed") / "experiment.json").read_text()
    trials: list[dict[str, object]] = json.loads(text)["study"]["trials"]
    return trials


def study_states(runs: Path) -> list[str]:
    """States of all trials in the study's own storage, in order."""
    import optuna

    storage = open_storage(ResultsStore(runs).experiment_folder("killed") / "study.journal")
    study = optuna.load_study(study_name="killed", storage=storage)
    return [trial.state.name for trial in study.trials]
