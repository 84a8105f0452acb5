from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.monitoring.progress import Progress
from platform.monitoring.progress_display import displayed
from platform.monitoring.progress_file import PROGRESS_FILE, keep_progress, read_progress
from tests.monitoring.test_progress import finished, told

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def test_what_is_kept_is_read(tmp_path: Path) -> None:
    progress = Progress(slots=2)
    progress.phase = "final folds"
    progress.expect("final", 10, 50.0)
    progress.take(told(finished("final", 50, 100), finished("final", 50, 0, status="failed", label="fold 4")))
    keep_progress(tmp_path, progress, "running", 100.04, lambda: NOON)
    found = read_progress(tmp_path)
    assert found is not None
    assert (found.state, found.phase, found.elapsed_seconds) == ("running", "final folds", 100.0)
    assert (found.counts["runs_done"], found.counts["runs_failed"]) == (2, 1)
    assert found.seconds_left == pytest.approx(8 * 100 / 2)
    assert found.estimated_end == "2026-11-28 12:06 UTC"
    assert [one["label"] for one in found.failures] == ["fold 4"]


def test_without_a_file_there_is_no_progress(tmp_path: Path) -> None:
    assert read_progress(tmp_path) is None


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"time": "x", "state": "running", "phase": "", "elapsed_seconds": 1}']
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / PROGRESS_FILE).write_text(content)
    with pytest.raises(UserError, match=r"progress\.json"):
        read_progress(tmp_path)


def test_a_display_keeps_the_progress_from_its_start_to_its_end() -> None:
    states: list[str] = []

    def keep(state: str, elapsed_seconds: float) -> None:
        states.append(state)
        raise UserError("the disk is full")

    with displayed(Progress(slots=1), lambda known: told(), io.StringIO(), keep):
        assert states == ["running"]
    assert states == ["running", "finished"]
    with (
        pytest.raises(KeyboardInterrupt),
        displayed(Progress(slots=1), lambda known: told(), io.StringIO(), keep),
    ):
        raise KeyboardInterrupt
    assert states[2:] == ["running", "stopped"]
