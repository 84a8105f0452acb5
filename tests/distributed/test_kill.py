"""The search command, killed and interrupted with real signals, ends with a quiet run's table."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from platform.results.study_storage import open_storage
from tests.distributed.processes import LINUX_ONLY, carrying, descendants
from tests.tiny_faces import tiny_settings

pytestmark = [LINUX_ONLY, pytest.mark.ray, pytest.mark.timeout(1500)]

SETTINGS = tiny_settings(stage2_constant_epochs=2, adam_beta1=0.9) | {
    "space": "fmpn",
    "trials": 2,
    "trials_in_flight": 1,
    "folds": 3,
    "rounds": [2, 1],
    "baselines": ["cnn"],
    "transfer_to": "none",
}
FINAL_RUNS = 6
PATIENCE_SECONDS = 400
AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")
"""Ray's helpers of a node: idle, and gone within some 60 s after the cluster, while they wait for it."""


class Command:
    """`python -m platform.tune` in a folder of runs, as a process of its own that can be started again."""

    def __init__(self, root: Path, folder: Path, data_root: Path) -> None:
        self.root, self.folder, self.runs = root, folder, folder / "runs"
        self.data_root = data_root
        folder.mkdir()
        (folder / "tiny.yaml").write_text(yaml.safe_dump(SETTINGS))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "platform.tune", "--name", "tiny"]
        paths = {
            "--config": self.folder / "tiny.yaml", "--data-root": self.data_root, "--runs": self.runs,
            "--log-json": self.folder / "events.jsonl",
        }  # fmt: skip
        with (self.folder / "out.txt").open("w") as out, (self.folder / "err.txt").open("w") as err:
            self.process = subprocess.Popen(
                command + [str(part) for pair in paths.items() for part in pair],
                cwd=self.root,
                env={**os.environ, "TEST_RUN": str(self.folder)},
                stdout=out,
                stderr=err,
                start_new_session=True,
                # A shell that runs the tests in the background has them ignore SIGINT, and their children.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )

    def wait(self) -> int:
        assert self.process is not None
        return self.process.wait(PATIENCE_SECONDS)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait, while the command runs, until something is so."""
        assert self.process is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert self.process.poll() is None, f"it ended too early: {self.out()}{self.err()}"
            assert time.monotonic() < deadline, self.out()
            time.sleep(0.01)

    def signal(self, number: signal.Signals) -> int:
        assert self.process is not None
        os.kill(self.process.pid, number)
        return self.wait()

    def out(self) -> str:
        return (self.folder / "out.txt").read_text()

    def err(self) -> str:
        return (self.folder / "err.txt").read_text()

    def finished(self) -> dict[Path, tuple[int, int]]:
        """Every manifest there is, with what changes when it is written again."""
        found = {path: path.stat() for path in self.runs.glob("*/*/manifest.json")}
        return {path: (status.st_ino, status.st_mtime_ns) for path, status in found.items()}

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]

    def fold_runs(self) -> int:
        return len(list(self.runs.glob("fold_runs/*/manifest.json")))

    def tables(self) -> dict[str, bytes]:
        folder = self.runs / "experiments" / "tiny"
        return {name: (folder / name).read_bytes() for name in ("table.md", "table.json", "table.csv")}

    def left(self) -> list[str]:
        """Commands of the processes that this command started and that live."""
        return sorted(carrying("TEST_RUN", str(self.folder)).values())


@pytest.fixture
def command(root: Path, data_root: Path, tmp_path: Path) -> Iterator[Callable[[str], Command]]:
    """Makes commands; those that still run at the end are ended."""
    made: list[Command] = []

    def make(name: str) -> Command:
        made.append(Command(root, tmp_path / name, data_root))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None and one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


def eventually(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


def test_a_killed_interrupted_and_crippled_run_ends_with_the_table_of_a_quiet_one(
    command: Callable[[str], Command],
) -> None:
    quiet = command("quiet")
    quiet.start()
    assert quiet.wait() == 0, quiet.err()
    assert quiet.err() == ""
    assert "Warning" not in quiet.out()
    total = quiet.fold_runs()
    inner = total - FINAL_RUNS
    assert inner in (5, 6), "two trials of three folds, the second pruned or not"
    assert eventually(lambda: not quiet.left(), 60), quiet.left()
    events = quiet.events()
    names = [event["event"] for event in events]
    assert (names[0], events[0]["detail"], names[-1]) == ("phase", "starting Ray", "finished")
    assert [event["detail"] for event in events if event["event"] == "phase"][1:] == ["search", "final folds"]
    assert names.count("trial_proposed") == names.count("trial_complete") + names.count("trial_pruned") == 2
    scored = [event for event in events if event["event"] == "run_finished" and event["fold"] is not None]
    assert len(scored) == total
    assert sum(event["trial"] is not None for event in scored) == inner
    assert events[-1]["counts"]["runs_done"] == names.count("run_finished")

    shaken = command("shaken")
    shaken.start()
    shaken.until(lambda: shaken.fold_runs() >= 3)
    assert shaken.signal(signal.SIGKILL) == -signal.SIGKILL
    working = lambda: [name for name in shaken.left() if not name.startswith(AGENTS)]  # noqa: E731
    assert eventually(lambda: not working(), 60), f"outlived the driver: {working()}"
    after_kill = shaken.finished()
    assert 3 <= shaken.fold_runs() < inner

    shaken.start()
    experiment = shaken.runs / "experiments" / "tiny" / "experiment.json"
    # It is written when the final runs begin: waiting for the first of them could be waiting too long.
    shaken.until(experiment.exists)
    assert shaken.signal(signal.SIGINT) == 130
    assert shaken.err().strip() == (
        "interrupted: what was finished is stored; run the same command again to go on."
    )
    after_interrupt = shaken.finished()
    assert after_kill.items() <= after_interrupt.items(), "a finished run was run again"
    assert shaken.fold_runs() < total

    shaken.start()
    assert shaken.process is not None
    driver = shaken.process.pid
    workers: list[int] = []

    def a_worker_works() -> bool:
        found = descendants(driver).items()
        workers[:] = [process for process, name in found if name.startswith("ray::carry_out")]
        return bool(workers)

    shaken.until(a_worker_works)
    os.kill(workers[0], signal.SIGKILL)
    assert shaken.wait() == 0, shaken.err()
    assert shaken.err() == ""
    assert after_interrupt.items() <= shaken.finished().items(), "a finished run was run again"
    assert shaken.fold_runs() == total
    assert shaken.tables() == quiet.tables()
    study = open_storage(shaken.runs / "experiments" / "tiny" / "study.journal")
    states = [trial.state.name for trial in study.get_all_trials(study.get_all_studies()[0]._study_id)]
    assert len(states) == 2
    assert set(states) <= {"COMPLETE", "PRUNED"}
    # The agents of the killed cluster too; Ray's own limit for them is 60 s.
    assert eventually(lambda: not shaken.left(), 120), shaken.left()
