"""Real processes killed in the middle of both stages: the same command ends with the same bits."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from platform.config.configuration import Plan
from platform.runs.execute import execute
from platform.runs.fold_tasks import final_tasks, plan_data
from platform.runs.planned_tasks import Machine
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from tests.tiny_faces import prepare_tiny, tiny_configuration

pytestmark = pytest.mark.usefixtures("process_settings_as_before")

PLAN = Plan(folds=2, rounds=(1, 1))
EPOCHS = 16

WORKER = """
import sys
from pathlib import Path
from platform.runs.execute import execute
from tests.runs.test_restart import task_of
task = task_of(Path(sys.argv[1]))
def report(values):
    print(values["stage"], values["epoch"], flush=True)
for each in (task.artifacts["stage1"], task):
    manifest = execute(each, sys.argv[2], report=report)
    assert manifest["status"] == "complete", manifest["traceback"]
"""


def task_of(data_root: Path) -> FoldTask:
    """The run that is killed: FMPN, both stages of sixteen epochs, a checkpoint after every second."""
    configuration = tiny_configuration(
        **{
            f"{stage}_{part}_epochs": EPOCHS // 2
            for stage in ("stage1", "stage2")
            for part in ("constant", "decay")
        },
        augmentation="paper",
    )
    planned = plan_data(data_root, "synthetic", configuration, PLAN)
    return final_tasks(configuration, planned, Machine(checkpoint_every_epochs=2))[0]


def outcome(runs: Path, task: FoldTask) -> dict[str, object]:
    """The hashes of everything that must not depend on interruptions."""
    store = ResultsStore(runs)
    curves = [
        [{k: v for k, v in epoch.items() if k != "images_per_second"} for epoch in curve]
        for kind, identity in (("stage1", task.artifacts["stage1"].identity), ("fold_runs", task.identity))
        for curve in json.loads(store.read(kind, identity, "curves.json")).values()  # type: ignore[arg-type]
    ]
    manifest = store.manifest("fold_runs", task.identity)
    assert manifest is not None
    names = ("predictions.parquet", "weights.safetensors", "pictures.png", "mask_quality.parquet")
    return {"curves": curves, **{name: manifest["sha256"][name] for name in names}}


def kill_until_done(root: Path, data_root: Path, runs: Path, kills: int) -> int:
    """Start the run, kill it with SIGKILL at a random moment, `kills` times; then let it end.

    Each start is left a few epochs first, so that it gets as far on a busy machine as on a quiet one.
    Returns the number of starts that went on from a checkpoint: whose first epoch was not the first.
    """
    chance = random.Random(0)
    continued = 0
    for attempt in range(kills + 1):
        command = [sys.executable, "-c", WORKER, str(data_root), str(runs)]
        with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            first = worker.stdout.readline().split()
            continued += bool(first) and int(first[1]) > 1
            if attempt < kills and first:
                for _ in range(chance.randint(2, 5)):
                    worker.stdout.readline()
                time.sleep(chance.uniform(0.0, 0.25))
                worker.send_signal(signal.SIGKILL)
            worker.stdout.read()
        if worker.returncode == 0:
            break
        assert worker.returncode == -signal.SIGKILL
    return continued


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.timeout(900)
def test_killed_at_random_moments_it_ends_with_the_same_bits(kills: int, root: Path, tmp_path: Path) -> None:
    data_root = tmp_path / "data"
    prepare_tiny(data_root, "synthetic", subjects=10)
    task = task_of(data_root)
    quiet, killed = tmp_path / "quiet", tmp_path / "killed"
    for each in (task.artifacts["stage1"], task):
        assert execute(each, str(quiet))["status"] == "complete"
    continued = kill_until_done(root, data_root, killed, kills)
    assert continued >= 1, "no start went on from a checkpoint"
    assert outcome(killed, task) == outcome(quiet, task)
    assert list((killed / "checkpoints").iterdir()) == [], "checkpoints go once the result stands"


def test_the_manifest_counts_the_seconds_of_the_starts_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_tiny(tmp_path / "data", "synthetic", subjects=10)
    configuration = tiny_configuration(method="cnn")
    planned = plan_data(tmp_path / "data", "synthetic", configuration, PLAN)
    task = final_tasks(configuration, planned, Machine(checkpoint_every_epochs=1))[0]
    slow = SimpleNamespace(passed=0.0)
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + slow.passed)
    monkeypatch.setattr("platform.training.checkpoint.time", clock)

    def report(values: dict[str, Any]) -> None:
        slow.passed += 500
        if values["epoch"] == 2:
            raise KeyboardInterrupt  # 500 of these 1000 seconds are lost

    with pytest.raises(KeyboardInterrupt):
        execute(task, str(tmp_path / "runs"), report=report)
    manifest = execute(task, str(tmp_path / "runs"))
    assert 500 < manifest["seconds"] < 1000


def test_a_kill_between_the_result_and_the_end_leaves_no_checkpoints_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_tiny(tmp_path / "data", "synthetic", subjects=10)
    configuration = tiny_configuration(method="cnn")
    planned = plan_data(tmp_path / "data", "synthetic", configuration, PLAN)
    task = final_tasks(configuration, planned, Machine(checkpoint_every_epochs=1))[0]

    def killed(folder: Path, **options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            execute(task, str(tmp_path / "runs"))
    assert (tmp_path / "runs/checkpoints" / task.identity).exists()
    assert execute(task, str(tmp_path / "runs"))["status"] == "complete"
    assert list((tmp_path / "runs/checkpoints").iterdir()) == []


def test_the_interval_of_checkpoints_is_no_part_of_the_identity(tmp_path: Path) -> None:
    prepare_tiny(tmp_path, "synthetic", subjects=10)
    configuration = tiny_configuration()
    planned = plan_data(tmp_path, "synthetic", configuration, PLAN)
    one, other = (
        final_tasks(configuration, planned, Machine(checkpoint_every_epochs=every))[0] for every in (1, 50)
    )
    assert one.identity == other.identity
    assert one.checkpoint_every_epochs == 1
    assert one.artifacts["stage1"].checkpoint_every_epochs == 1


def test_two_experiments_at_one_run_end_with_the_first_ones_result(tmp_path: Path) -> None:
    """The second one starts, takes the checkpoint over and ends while the first one trains."""
    prepare_tiny(tmp_path / "data", "synthetic", subjects=10)
    configuration = tiny_configuration(method="cnn", stage2_constant_epochs=4)
    planned = plan_data(tmp_path / "data", "synthetic", configuration, PLAN)
    task = final_tasks(configuration, planned, Machine(checkpoint_every_epochs=1))[0]
    runs, others = tmp_path / "runs", []

    def report(values: dict[str, Any]) -> None:
        if values["epoch"] == 2:
            others.append(execute(task, str(runs)))

    manifest = execute(task, str(runs), report=report)
    assert [other["status"] for other in others] == ["complete"]
    assert manifest == others[0]
    store = ResultsStore(runs)
    for name in manifest["sha256"]:
        store.read("fold_runs", task.identity, name)
    assert [path.name for path in (runs / "fold_runs").iterdir()] == [task.identity]
    assert list((runs / "checkpoints").iterdir()) == []
