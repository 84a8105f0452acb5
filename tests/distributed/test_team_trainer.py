"""Ray Train's trainer without what costs a process: what is left, and that waiting needs no torch."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from ray.train import ScalingConfig
from ray.train.backend import Backend

from platform.distributed.team_trainer import TeamBackend, TeamTrainer
from platform.runs.fold_tasks import PlannedData, final_tasks
from platform.runs.planned_tasks import Machine
from tests.tiny_faces import tiny_configuration

WAITING = """
import pickle, sys
from platform.distributed.train import carry_out, train_loop
from platform.distributed.team_trainer import TeamTrainer
from ray.train import ScalingConfig
task = pickle.loads(bytes.fromhex(sys.stdin.read()))
two = ScalingConfig(num_workers=2)
trainer = TeamTrainer(train_loop, train_loop_config={"task": task}, scaling_config=two)
pickle.dumps(trainer.backend_config)
trainer._create_default_callbacks()
assert "torch" not in sys.modules, "what only waits imports torch"
"""

pytestmark = pytest.mark.filterwarnings("ignore:`use_\\w+`:DeprecationWarning")


def test_train_starts_no_store_that_listens_on_all_interfaces() -> None:
    assert TeamBackend().backend_cls is Backend


def test_only_callbacks_that_a_run_needs_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", raising=False)
    trainer = TeamTrainer(lambda: None, scaling_config=ScalingConfig(num_workers=2))
    names = {type(one).__name__ for one in trainer._create_default_callbacks()}
    assert {"AcceleratorSetupCallback", "BackendSetupCallback", "WorkingDirectorySetupCallback"} <= names
    assert not names & {"DatasetsCallback", "PlacementGroupCleanerCallback"}
    assert os.environ["RAY_TRAIN_ENABLE_PREEMPTION_WATCHER"] == "0"
    monkeypatch.delenv("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER")


def test_a_process_that_waits_for_train_workers_imports_no_torch(root: Path, planned: PlannedData) -> None:
    task = final_tasks(tiny_configuration(), planned, Machine(train_workers=2))[1]
    assert task.costs, "which are counted before a task travels"
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WAITING],
        cwd=root, input=pickle.dumps(task).hex(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
