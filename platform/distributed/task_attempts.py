"""Attempts of one task: whether another one follows, and after how long."""

from __future__ import annotations

from platform.runs.environment_failure import LOST_WORKERS_IN_A_ROW, EnvironmentFailure, wait_seconds


class TaskAttempts:
    """Attempts of one task, counted by outcome; decides whether another one follows."""

    def __init__(self, retries: int) -> None:
        """retries: attempts after the first, beside those after a lost worker."""
        self._left = retries
        self._reached: set[str] = set()
        """Checkpoints after the last attempt."""
        self.count = 0
        self.lost_in_a_row = 0
        self._told_in_a_row = 0

    def wait_after(self, failure: EnvironmentFailure | None, checkpoints: set[str]) -> float | None:
        """Seconds until the next attempt; None if there is none. `failure` None: the task's code failed.

        checkpoints: the task's, now; a new one since the attempt before is progress.
        """
        self.count += 1
        progressed, self._reached = checkpoints != self._reached, checkpoints
        if failure is not None and failure.worker_lost:
            self.lost_in_a_row = 1 if progressed else self.lost_in_a_row + 1
            return wait_seconds(self.lost_in_a_row) if self.lost_in_a_row <= LOST_WORKERS_IN_A_ROW else None
        if self._left == 0:
            return None
        self._left -= 1
        if failure is None:
            return 0.0
        self._told_in_a_row += 1
        return wait_seconds(self._told_in_a_row)
