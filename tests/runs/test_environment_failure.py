from __future__ import annotations

import errno
import pickle

import pytest

from platform.errors import UserError
from platform.runs.environment_failure import EnvironmentFailure, environment_failure, wait_seconds
from platform.training.health import DivergedError, TooLargeBatchError


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


FULL = OSError(errno.ENOSPC, "No space left on device", "/runs/a")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FULL, "No space left on device: /runs/a"),
        (OSError(errno.EIO, None), "Input/output error"),
        (TimeoutError("no answer"), "TimeoutError: no answer"),
        (MemoryError(), "MemoryError"),
        (ModuleNotFoundError("No module named 'cv2'"), "ModuleNotFoundError: No module named 'cv2'"),
        (UserError("the masks have changed; run again."), "the masks have changed; run again"),
        (RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer"), "RuntimeError: [gloo"),
        (caused_by(ValueError("half an image"), FULL), "No space left on device"),
    ],
)
def test_what_running_again_may_mend_is_of_the_environment(error: Exception, reason: str) -> None:
    failure = environment_failure(error)
    assert failure is not None
    assert failure.reason.startswith(reason)
    assert failure.host
    assert failure.worker_lost == ("gloo" in reason), "another worker of the run has gone"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("Expected more than 1 value per channel"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ZeroDivisionError(),
        DivergedError.__new__(DivergedError),
        caused_by(TooLargeBatchError("pass --stage2-batch-size 8"), MemoryError()),
    ],
)
def test_what_the_code_or_the_configuration_does_is_not(error: Exception) -> None:
    assert environment_failure(error) is None


def test_it_travels_between_processes_and_names_its_host() -> None:
    failure = EnvironmentFailure("No space left on device", "node7", worker_lost=True)
    again = pickle.loads(pickle.dumps(failure))
    assert (again.reason, again.host, again.worker_lost) == ("No space left on device", "node7", True)
    assert str(again) == "No space left on device (on node7)"
    assert environment_failure(again) is again


def test_waits_double_up_to_a_minute() -> None:
    assert [wait_seconds(losses) for losses in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
