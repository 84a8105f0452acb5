"""Several Train workers of one run: on two nodes, and with one killed in the middle."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from platform.config.configuration import Plan
from platform.distributed.ray_dispatcher import start_dispatcher
from platform.distributed.train import run_on_train
from platform.evaluation.predictions import Predictions, from_bytes
from platform.runs.attempts import driver_folder
from platform.runs.fold_tasks import PlannedData, final_tasks
from platform.runs.planned_tasks import Machine
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from tests.distributed.processes import LINUX_ONLY, descendants
from tests.tiny_faces import tiny_configuration

pytestmark = [
    LINUX_ONLY,
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    # Ray's own: importing what TorchTrainer needs sets a setting that Ray has deprecated.
    pytest.mark.filterwarnings("ignore:`use_\\w+`:DeprecationWarning"),
]
PLAN = Plan(folds=3, rounds=(2, 1), trials=4, trials_in_flight=2, retries=0, train_workers=2)
PATIENCE_SECONDS = 400


def team_task(planned: PlannedData) -> FoldTask:
    """A fold run of two workers with many checkpoints."""
    configuration = tiny_configuration(method="cnn", stage2_constant_epochs=30)
    one = final_tasks(configuration, planned, Machine(train_workers=2))[1]
    return dataclasses.replace(one, checkpoint_every_epochs=1)


def predictions(root: Path, one: FoldTask) -> Predictions:
    content = ResultsStore(root).read("fold_runs", one.identity, "predictions.parquet")
    return from_bytes(content, "fold run")


@pytest.fixture(scope="module")
def quiet(
    one_cluster: Any, planned: PlannedData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[FoldTask, Predictions]:
    """The run by two workers on one node, undisturbed."""
    root, one = tmp_path_factory.mktemp("quiet"), team_task(planned)
    manifest = run_on_train(one, str(root), train_workers=2, resources={"CPU": 1})
    assert manifest["status"] == "complete", manifest.get("traceback")
    return one, predictions(root, one)


def test_a_killed_train_worker_is_a_lost_worker_and_its_run_goes_on_from_the_checkpoint(
    cluster: Any, quiet: tuple[FoldTask, Predictions], tmp_path: Path
) -> None:
    """Without retries: a lost worker has a budget of its own."""
    import ray

    one, expected = quiet
    dispatcher = start_dispatcher(PLAN, tmp_path, 1, driver_folder(tmp_path))
    answer = dispatcher.run.remote([one])
    folder = tmp_path / "checkpoints" / one.identity

    def epochs() -> list[str]:
        return sorted(path.name for path in folder.glob("*/*.json"))

    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(epochs()) < 2:
        assert time.monotonic() < deadline, ray.get(dispatcher.snapshot.remote())
        time.sleep(0.01)
    team = [
        number for number, name in descendants(os.getpid()).items() if name.startswith("ray::RayTrainWorker")
    ]
    assert len(team) == 2
    reached = epochs()[0]
    os.kill(team[1], signal.SIGKILL)
    after: set[str] = set()
    while not ray.wait([answer], timeout=0.01)[0]:
        assert time.monotonic() < deadline, ray.get(dispatcher.snapshot.remote())
        after |= set(epochs())
    (manifest,) = ray.get(answer)
    assert manifest["status"] == "complete", manifest
    assert min(after) >= reached, "it began again"
    (loss,) = ray.get(dispatcher.snapshot.remote())["events"]
    assert loss["kind"] == "lost"
    assert loss["in_a_row"] == 1
    assert loss["host"] == os.uname().nodename
    got = predictions(tmp_path, one)
    np.testing.assert_array_equal(got.scores, expected.scores)
    np.testing.assert_array_equal(got.image, expected.image)


def test_two_nodes_with_a_worker_each_compute_what_one_node_does(
    root: Path, data_root: Path, quiet: tuple[FoldTask, Predictions], tmp_path: Path
) -> None:
    """Nodes with the machine's own address, where gloo must find the interface."""
    one, expected = quiet
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.distributed.two_nodes", str(data_root), str(tmp_path)],
        cwd=root, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    got = predictions(tmp_path, one)
    np.testing.assert_array_equal(got.scores, expected.scores)
    np.testing.assert_array_equal(got.image, expected.image)


def test_fold_runs_that_hold_gpus_go_to_nodes_that_have_some(
    root: Path, data_root: Path, tmp_path: Path
) -> None:
    script = "tests.distributed.mixed_nodes"
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", script, str(data_root), str(tmp_path)],
        cwd=root, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
