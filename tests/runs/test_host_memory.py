from __future__ import annotations

import dataclasses
from pathlib import Path

from platform.config.configuration import Plan
from platform.runs.fold_tasks import machine_of, plan_data, step_tasks
from platform.runs.footprint import footprint
from platform.runs.host_memory import CUDA_PROCESS_BYTES, host_memory_bytes
from platform.runs.peak_memory import face_bytes
from tests.tiny_faces import prepare_tiny, tiny_configuration


def test_the_net_is_in_the_host_s_memory_only_without_a_gpu(tmp_path: Path) -> None:
    prepare_tiny(tmp_path, subjects=6)
    plan, configuration = Plan(folds=2), tiny_configuration()
    data = plan_data(tmp_path, "synthetic", configuration, plan)
    (on_cpu,) = step_tasks(configuration, data, machine_of(plan), [(0, None)])
    machine = machine_of(dataclasses.replace(plan, gpus_per_run=0.5))
    (on_gpu,) = step_tasks(configuration, data, machine, [(0, None)])
    assert host_memory_bytes(on_cpu) == int(footprint(on_cpu).memory) + face_bytes(on_cpu)
    assert host_memory_bytes(on_gpu) == CUDA_PROCESS_BYTES + face_bytes(on_gpu)
