"""Which of Ray's exceptions say that a worker is gone, and which that the code failed."""

from __future__ import annotations

import errno
from typing import Any

import pytest
import ray.exceptions
from ray.train import ControllerError, WorkerGroupError
from ray.train.v2._internal.exceptions import UserExceptionWithTraceback, WorkerHealthCheckFailedError

from platform.distributed.lost_workers import at_named_host, environment_failure_of
from platform.errors import UserError
from platform.runs.environment_failure import EnvironmentFailure

CODE = ValueError("no")
CRASHED = ray.exceptions.WorkerCrashedError()
FULL = OSError(errno.ENOSPC, "No space left on device", "/runs")
BROKEN_TEAM = RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer")


def task_error(cause: Any) -> ray.exceptions.RayTaskError:
    return ray.exceptions.RayTaskError("carry_out", "traceback", cause, ip="10.0.0.2", pid=1)


def team(**failures: Exception) -> WorkerGroupError:
    return WorkerGroupError("a worker failed", {int(rank[1:]): error for rank, error in failures.items()})


@pytest.mark.parametrize(
    "error",
    [
        CRASHED,
        ray.exceptions.NodeDiedError("the node died"),
        ray.exceptions.OutOfMemoryError("killed: memory"),
        ray.exceptions.ActorDiedError(),
        ray.exceptions.ObjectLostError("ab", "owner", "stack"),
        ray.exceptions.LocalRayletDiedError(),
        ray.exceptions.RuntimeEnvSetupError("no environment"),
        ray.exceptions.TaskUnschedulableError("no such node"),
        task_error(CRASHED),
        ControllerError(ray.exceptions.ActorDiedError()),
        WorkerHealthCheckFailedError("no answer", CRASHED),
        team(_0=ray.exceptions.ActorDiedError()),
        team(_0=BROKEN_TEAM, _1=ray.exceptions.ActorDiedError()),
        team(_0=BROKEN_TEAM),  # noticed before the loss itself
        team(_0=UserExceptionWithTraceback(BROKEN_TEAM, "traceback"), _1=BROKEN_TEAM),
        task_error(team(_1=ray.exceptions.ActorDiedError())),
    ],
)
def test_a_lost_worker_is_known_in_every_wrapper(error: Exception) -> None:
    failure = environment_failure_of(error, "node7")
    assert failure is not None
    assert failure.worker_lost
    assert failure.host == "node7"


@pytest.mark.parametrize(
    "error",
    [
        CODE,
        task_error(CODE),
        task_error(None),
        ray.exceptions.RayError("Exception of the task's isn't serializable"),
        task_error(CODE).as_instanceof_cause(),
        ControllerError(CODE),
        team(_0=UserExceptionWithTraceback(CODE, "traceback")),
        team(_0=CODE, _1=ray.exceptions.ActorDiedError()),
        team(_1=CODE),
    ],
)
def test_a_failure_of_the_code_stays_one(error: Exception) -> None:
    assert environment_failure_of(error) is None


@pytest.mark.parametrize(
    "error",
    [task_error(FULL), task_error(UserError("no room.")), team(_0=FULL), team(_0=BROKEN_TEAM, _1=FULL)],
)
def test_a_full_disk_is_of_the_environment_but_no_lost_worker(error: Exception) -> None:
    failure = environment_failure_of(error, "node7")
    assert failure is not None
    assert not failure.worker_lost
    assert failure.host == "node7"


def test_the_host_that_ray_names_is_taken_where_none_is_known() -> None:
    message = (
        "Task was killed, memory is low.\nMemory on the node (IP: 10.0.0.4, ID: ab) where it ran was full"
    )
    failure = environment_failure_of(ray.exceptions.OutOfMemoryError(message))
    assert failure is not None
    assert str(failure) == "OutOfMemoryError: Task was killed, memory is low (on 10.0.0.4)"


def test_a_lost_train_worker_is_named_by_its_own_host() -> None:
    """Not by that of the process which waits for it, or of the worker that lost the connection to it."""
    died = ray.exceptions.ActorDiedError()
    died.error_msg = "The actor died unexpectedly.\n\tpid: 7\n\tip: 10.0.0.4\nIts node died."
    survivor = EnvironmentFailure("RuntimeError: [gloo] closed", "head", worker_lost=True)
    failure = environment_failure_of(
        team(_0=UserExceptionWithTraceback(survivor, "traceback"), _1=died), host="head"
    )
    assert failure is not None
    assert failure.host == "10.0.0.4"
    nodes = [
        {"NodeManagerAddress": "10.0.0.3", "NodeManagerHostname": "head"},
        {"NodeManagerAddress": "10.0.0.4", "NodeManagerHostname": "worker1"},
    ]
    assert str(at_named_host(failure, nodes)).endswith("(on worker1)")
    unknown = EnvironmentFailure("ActorDiedError", worker_lost=True)
    assert at_named_host(unknown, nodes).host == ""
    assert at_named_host(unknown, nodes[:1]).host == "head"
    assert at_named_host(EnvironmentFailure("full", "worker1"), nodes).host == "worker1"
