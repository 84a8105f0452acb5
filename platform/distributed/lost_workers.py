"""Classification of Ray's exceptions: lost workers, nodes and objects versus failures of the code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from platform.runs.environment_failure import EnvironmentFailure, environment_failure

_ADDRESS = re.compile(r"\bip(?: address)?[:=] ?([0-9a-f.:]+)", re.IGNORECASE)


def environment_failure_of(error: BaseException, host: str = "") -> EnvironmentFailure | None:
    """Ray's exception for a task as an EnvironmentFailure; None if the task's own code failed.

    `host`: where the task ran, if known, for errors that do not name it. Unwraps the exceptions of Ray and
    Ray Train.
    """
    from ray.exceptions import RayError, RayTaskError
    from ray.train import ControllerError, WorkerGroupError
    from ray.train.v2._internal.exceptions import RayTrainError, UserExceptionWithTraceback

    if isinstance(error, RayTaskError):
        cause = error.cause
        return environment_failure_of(cause, host) if isinstance(cause, BaseException) else None
    if isinstance(error, WorkerGroupError):
        return _of_team(error.worker_failures, host)
    if isinstance(error, ControllerError):
        return environment_failure_of(error.controller_failure, host)
    if isinstance(error, UserExceptionWithTraceback):
        return environment_failure_of(error._base_exc, host)
    if type(error) is RayError:  # replaces an exception of the task that could not be pickled
        return None
    if isinstance(error, RayError | RayTrainError):
        address = _ADDRESS.search(str(error))
        where = host or (address[1] if address else "")
        return EnvironmentFailure(_sentence(error), where, worker_lost=True)
    failure = environment_failure(error)
    if failure is None or isinstance(error, EnvironmentFailure):
        return failure
    # It was raised where the task ran, not here.
    return EnvironmentFailure(failure.reason, host, worker_lost=failure.worker_lost)


def at_named_host(failure: EnvironmentFailure, nodes: Sequence[Mapping[str, Any]]) -> EnvironmentFailure:
    """The failure with the name of its host instead of the address, which is all that Ray says.

    nodes: as `ray.nodes` lists them, those that have ended among them. If all are on one host, it is that.
    """
    names = {node["NodeManagerAddress"]: node["NodeManagerHostname"] for node in nodes}
    only = next(iter(names.values())) if len(set(names.values())) == 1 else ""
    host = names.get(failure.host, failure.host) or only
    return EnvironmentFailure(failure.reason, host, worker_lost=failure.worker_lost)


def _of_team(failures: Mapping[int, BaseException], host: str) -> EnvironmentFailure | None:
    """The failure of several workers of one run. If one is lost, the others fail because their connection
    breaks, which Ray may notice first. If the code of the first fails, it has stored that, and later failures
    are ignored. `host` is where the run was started; its workers may be elsewhere."""
    from ray.exceptions import RayError
    from ray.train.v2._internal.exceptions import RayTrainError, UserExceptionWithTraceback

    gone = [
        error
        for error in failures.values()
        if isinstance(error, RayError | RayTrainError) and not isinstance(error, UserExceptionWithTraceback)
    ]
    found = {rank: environment_failure_of(error) for rank, error in failures.items()}
    if 0 in found and found[0] is None:
        return None
    lost = [one for one in map(environment_failure_of, gone) if one is not None]
    others = [one for one in found.values() if one is not None]
    if lost or None in found.values() or not others:
        first = lost[0] if lost else None
    else:
        first = min(others, key=lambda one: one.worker_lost)  # a connection breaks for another's reason
    if first is None or first.host:
        return first
    return EnvironmentFailure(first.reason, host, worker_lost=first.worker_lost)


def _sentence(error: BaseException) -> str:
    """Ray's message in one line: class and first sentence."""
    first = re.split(r"(?<=[a-z)])\. ", " ".join(str(error).split()), maxsplit=1)[0].rstrip(".")
    return f"{type(error).__name__}: {first[:240]}" if first else type(error).__name__
