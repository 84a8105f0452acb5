"""clusters/slurm.sh, with stand-ins for Slurm's and Ray's commands."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from platform.tune import main as tune

RECORDER = """#!{python}
import json, os, sys
words = [os.path.basename(sys.argv[0]), os.environ.get("RAY_AUTH_MODE"), *sys.argv[1:]]
with open(os.environ["CALLS"], "a") as log:
    log.write(json.dumps(words) + "\\n")
{more}
"""
STEP = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
open(os.environ["CALLS"] + ".begun", "w").close()
while not os.path.exists(os.environ["CALLS"] + ".end"):
    time.sleep(0.02)
sys.exit(int(open(os.environ["CALLS"] + ".end").read()))
"""
"""A step that runs until the test names its exit status."""


class Job:
    """A batch job on two nodes, whose commands are stand-ins."""

    def __init__(self, folder: Path, script: Path) -> None:
        self.calls_file, self.checkout = folder / "calls", folder / "checkout"
        fakes = self.checkout / ".venv/bin"
        fakes.mkdir(parents=True)
        for name, more in (
            ("srun", STEP),
            ("scontrol", ""),
            ("ray", 'print("the token")'),
            ("hostname", 'print("10.1.2.3 172.17.0.1")'),
        ):
            (fakes / name).write_text(RECORDER.format(python=sys.executable, more=more))
            (fakes / name).chmod(0o755)
        self.process = subprocess.Popen(
            ["bash", str(script), "--dataset", "mmi", "--preset", "paper", "--name", "two words"],
            env={
                "PATH": "/usr/bin:/bin", "HOME": str(folder), "CALLS": str(self.calls_file),
                "SLURM_SUBMIT_DIR": str(self.checkout), "SLURM_JOB_ID": "17", "SLURM_JOB_NUM_NODES": "2",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def wait_until_it_runs(self) -> None:
        """Until the step has begun."""
        wait_for(lambda: self.calls_file.with_name("calls.begun").exists())

    def end_step(self, status: int) -> None:
        """Let the step end with that status."""
        whole = self.calls_file.with_name("whole")
        whole.write_text(str(status))
        whole.rename(self.calls_file.with_name("calls.end"))

    def calls(self, name: str) -> list[list[str]]:
        """The words with which a command was called, each time."""
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        return [words for command, _, *words in map(json.loads, lines) if command == name]


def wait_for(condition: object) -> None:
    until = time.monotonic() + 30
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until, "did not happen"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def script(root: Path) -> Path:
    return root / "clusters" / "slurm.sh"


@pytest.fixture
def job(tmp_path: Path, script: Path) -> Job:
    made = Job(tmp_path, script)
    yield made
    made.process.kill()
    made.process.communicate()


def test_the_options_of_the_batch_stand_where_sbatch_reads_them(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").splitlines()
    options = [line.split()[1] for line in lines if line.startswith("#SBATCH")]
    before = [line for line in lines[: lines.index("set -euo pipefail")] if not line.startswith("#")]
    assert not before, "sbatch stops reading at the first command"
    assert {"--requeue", "--exclusive", "--ntasks-per-node=1", "--open-mode=append"} <= set(options)
    assert any(re.fullmatch(r"--time=\d+:\d\d:\d\d", option) for option in options)
    assert any(re.fullmatch(r"--signal=B:USR1@\d+", option) for option in options)
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert os.access(script, os.X_OK)


def test_every_node_starts_ray_and_the_first_one_the_search(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    job.wait_until_it_runs()
    job.end_step(0)
    printed = job.process.communicate()
    assert job.process.returncode == 0, printed
    assert "the token" not in "".join(printed)
    (words,) = job.calls("srun")
    assert words[:3] == ["--nodes=2", "--ntasks-per-node=1", "--cpu-bind=none"]
    assert words[3:5] == ["ray", "symmetric-run"]
    end = words.index("--")
    assert words[5:end] == ["--address", "10.1.2.3:6379", "--min-nodes", "2"]
    python, *command = words[end + 1 :]
    assert (python, command[:2]) == (".venv/bin/python", ["-m", "platform.tune"])
    flags = command[2:]
    for flag, value in (
        ("--address", "auto"),
        ("--runs", f"{job.checkout}/runs"),
        ("--data-root", f"{job.checkout}/data"),
        ("--name", "two words"),
    ):
        assert flags[flags.index(flag) + 1] == value
    flags[flags.index("--name") + 1] = "two-words"
    assert tune([*flags, "--print-config"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["stage2_constant_epochs"] == 100


def test_ray_knows_the_words_of_every_node(job: Job) -> None:
    from ray.scripts.symmetric_run import curate_and_validate_ray_start_args, symmetric_run

    job.wait_until_it_runs()
    job.end_step(0)
    job.process.communicate()
    (words,) = job.calls("srun")
    given = words[5 : words.index("--")]
    assert curate_and_validate_ray_start_args(list(given)) == []
    made = symmetric_run.make_context("symmetric-run", given)
    assert made.params["min_nodes"] == 2
    assert made.params["address"] == "10.1.2.3:6379"


def test_the_steps_failure_is_the_jobs(job: Job) -> None:
    job.wait_until_it_runs()
    job.end_step(2)
    job.process.communicate()
    assert job.process.returncode == 2
    assert not job.calls("scontrol")


def test_before_the_time_is_over_the_job_goes_back_into_the_queue(job: Job) -> None:
    """Slurm then ends the step; until it does, the batch waits, so that a step that is done stays done."""
    job.wait_until_it_runs()
    job.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: job.calls("scontrol"))
    assert job.calls("scontrol") == [["requeue", "17"]]
    assert job.process.poll() is None
    job.end_step(0)
    job.process.communicate()
    assert job.process.returncode == 0


def test_started_without_sbatch_it_says_so(script: Path) -> None:
    done = subprocess.run(
        ["bash", str(script)], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "submit this file with sbatch" in done.stderr
