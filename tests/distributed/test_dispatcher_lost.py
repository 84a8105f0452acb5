"""The dispatcher's own process, killed: it is started anew and owes nobody an answer."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan
from platform.distributed.ray_dispatcher import start_dispatcher
from platform.runs.attempts import driver_folder
from platform.runs.fold_tasks import PlannedData, final_tasks, machine_of
from tests.distributed.processes import LINUX_ONLY, descendants
from tests.tiny_faces import tiny_configuration

pytestmark = [LINUX_ONLY, pytest.mark.ray, pytest.mark.timeout(600)]


def test_what_was_asked_of_a_killed_dispatcher_is_answered_by_the_next(
    cluster: Any, planned: PlannedData, plan: Plan, tmp_path: Path
) -> None:
    import ray

    dispatcher = start_dispatcher(plan, tmp_path, 2, driver_folder(tmp_path))
    life = ray.get(dispatcher.snapshot.remote(0))["life"]
    tasks = final_tasks(tiny_configuration(method="cnn"), planned, machine_of(plan))
    answer = dispatcher.run.remote(tasks)
    (process,) = [
        number
        for number, command in descendants(os.getpid()).items()
        if command.startswith("ray::RayDispatcher")
    ]
    os.kill(process, signal.SIGKILL)
    manifests = ray.get(answer, timeout=500)
    assert [manifest["status"] for manifest in manifests] == ["complete"] * len(tasks)
    after = ray.get(dispatcher.snapshot.remote(0))
    assert after["life"] != life
    assert {entry["identity"] for entry in after["finished"]} == {task.identity for task in tasks}
