"""Settings of Ray in the environment: quiet, closed to other users, and packages found by its workers."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from platform.host.checkout import told_to_workers
from platform.host.ray_paths import REPOSITORY

QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # Tune's handler stays installed after a search and would swallow the first Ctrl-C of the final folds.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    # Timeout of a task's first worker for the runtime environment agent, raised for busy machines. It does
    # not affect the 15 s that a starting raylet waits for its agents' ports (ray_start.py).
    "RAY_agent_register_timeout_ms": "100000",
}
"""Silences Ray's output and usage reports. Set with `setdefault`, so that the user's values win."""


WORKERS_ENVIRONMENT = {"PYTHONPATH": str(REPOSITORY), "NO_ALBUMENTATIONS_UPDATE": "1"}
"""Environment in which Ray workers find the packages. Workers of a private cluster inherit it, because a
`runtime_env` starts the interpreter through an unquoted shell command, which fails on paths with spaces."""


def workers_environment() -> dict[str, str]:
    """WORKERS_ENVIRONMENT, and which version of the code the workers run."""
    return {**WORKERS_ENVIRONMENT, **told_to_workers()}


@contextmanager
def with_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Context with these environment variables, which processes started in it inherit."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def keep_others_out() -> None:
    """Restrict a private cluster, before Ray reads its settings, to token authentication and loopback.

    Anyone who reaches a Ray port can run code as this user. The token is kept in the environment of our
    processes; otherwise Ray would write one to ~/.ray.
    """
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    # Ray listens on 127.0.0.1 only on platforms where it supports no clusters. `_node_ip_address="127.0.0.1"`
    # is silently replaced by the machine's address (services.resolve_ip_for_localhost in 2.60).
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    from ray._private import ray_constants

    ray_constants.ENABLE_RAY_CLUSTER = False
