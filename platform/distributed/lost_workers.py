"""Classification of Ray's exceptions: lost workers, nodes and objects versus failures of the code."""

from __future__ import annotations

import re
from collections.abc import Mapping

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
    return EnvironmentFailure(failure.reason, host)  # it was raised where the task ran, not here


def _of_team(failures: Mapping[int, BaseException], host: str) -> EnvironmentFailure | None:
    """The failure of several workers of one run. If one is lost, the others fail because their connection
    breaks. If the code of the first fails, it has stored that, and later failures are ignored."""
    found = {rank: environment_failure_of(error, host) for rank, error in failures.items()}
    if 0 in found and found[0] is None:
        return None
    lost = [one for one in found.values() if one is not None and one.worker_lost]
    if lost:
        return lost[0]
    return None if None in found.values() else next(iter(found.values()), None)


def _sentence(error: BaseException) -> str:
    """Ray's message in one line: class and first sentence."""
    first = re.split(r"(?<=[a-z)])\. ", " ".join(str(error).split()), maxsplit=1)[0].rstrip(".")
    return f"{type(error).__name__}: {first[:240]}" if first else type(error).__name__
