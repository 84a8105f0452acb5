"""Another attempt follows as long as it may help: lost workers and the task's own failures count apart."""

from __future__ import annotations

from platform.distributed.task_attempts import TaskAttempts
from platform.runs.environment_failure import LOST_WORKERS_IN_A_ROW, EnvironmentFailure, wait_seconds

LOST = EnvironmentFailure("killed", "node1", worker_lost=True)
FULL = EnvironmentFailure("disk full", "node1")


def test_failures_of_the_code_follow_at_once_until_none_is_left() -> None:
    attempts = TaskAttempts(2)
    assert [attempts.wait_after(None, set()) for _ in range(3)] == [0.0, 0.0, None]
    assert attempts.count == 3


def test_lost_workers_take_no_attempt_away_and_end_without_progress() -> None:
    attempts = TaskAttempts(0)
    waits = [attempts.wait_after(LOST, set()) for _ in range(LOST_WORKERS_IN_A_ROW + 1)]
    assert waits == [*(wait_seconds(n) for n in range(1, LOST_WORKERS_IN_A_ROW + 1)), None]


def test_a_new_checkpoint_is_progress() -> None:
    attempts = TaskAttempts(0)
    for epoch in range(LOST_WORKERS_IN_A_ROW + 2):
        assert attempts.wait_after(LOST, {f"epoch{epoch}"}) == wait_seconds(1)
    assert attempts.lost_in_a_row == 1


def test_an_environment_that_stops_the_task_is_given_ever_more_time() -> None:
    attempts = TaskAttempts(2)
    assert [attempts.wait_after(FULL, set()) for _ in range(3)] == [wait_seconds(1), wait_seconds(2), None]
