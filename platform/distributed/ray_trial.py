"""Start of Ray on this machine for one small task, to see whether it works here."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from platform.distributed.ray_settings import QUIET, WORKERS_ENVIRONMENT, keep_others_out, with_environment
from platform.distributed.ray_start import RayNotStarted, start_ray
from platform.host.ray_paths import python_for_shells


def try_ray(folder: str) -> dict[str, Any]:
    """Start a private cluster with its files in `folder`, run one task on it and end it.

    For a process of its own: it changes the environment. Returns `seconds` (the start) and `task_seconds`, or
    `reason` and `busy` (RayNotStarted).
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    keep_others_out()
    import ray

    options: dict[str, Any] = {"address": "local", "num_cpus": 1, "num_gpus": 0, "include_dashboard": False}
    options |= {"log_to_driver": False, "logging_level": logging.ERROR, "_temp_dir": folder}
    python = python_for_shells()
    if python is not None:
        options["runtime_env"] = {"py_executable": python}
    begun = time.monotonic()
    try:
        with with_environment(WORKERS_ENVIRONMENT):
            start_ray(options, pauses=())
    except RayNotStarted as error:
        return {"reason": error.reason, "busy": error.busy}
    started = time.monotonic()
    try:
        ray.get(ray.remote(workers_folder).remote())
    finally:
        ray.shutdown()
    return {"seconds": started - begun, "task_seconds": time.monotonic() - started}


def workers_folder() -> str:
    """The task: its function is found by name, so that it fails where workers do not find our packages."""
    return os.getcwd()
