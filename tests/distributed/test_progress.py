from __future__ import annotations

import io
import threading
from typing import Any

import pytest

from platform.distributed import progress as progress_module
from platform.distributed.progress import Progress, clock, displayed
from platform.results.cost import GFLOP_A_SECOND_AND_CORE


def finished(group: str, gflop: float, seconds: float, **changes: Any) -> dict[str, Any]:
    return {
        "group": group, "gflop": gflop, "seconds": seconds, "status": "complete", "reused": False, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (0.4, "0:00"), (59.6, "1:00"), (123, "2:03"), (3599, "59:59"), (3723, "1:02:03")],
)
def test_a_clock_shows_minutes_and_hours_where_there_are_any(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_before_anything_has_run_the_time_is_the_assumed_pace() -> None:
    progress = Progress(slots=2)
    progress.expect("final", 10, 50.0)
    assert progress.seconds_left() == pytest.approx(10 * 50 / GFLOP_A_SECOND_AND_CORE / 2)


def test_the_line_by_hand() -> None:
    progress = Progress(slots=2)
    progress.phase = "final folds"
    progress.expect("final", 10, 50.0)
    progress.take(
        {
            "running": [("fmpn fold 2", 3.0)],
            "finished": [finished("final", 50, 100), finished("final", 50, 100)],
        }
    )
    # 2 s a GFLOP: 8 runs x 50 GFLOP x 2 s / 2 slots = 400 s
    assert progress.line(65) == (
        "final folds: 2 of up to 10 runs done | 1 running | 0 failed | 1:05 gone, about 6:40 left"
    )
    progress.best = "best: 51.0 %"
    progress.take(
        {
            "running": [],
            "finished": [
                finished("final", 50, 100, reused=True), finished("final", 50, 0, status="failed"),
            ],
        }
    )  # fmt: skip
    assert progress.line(3600) == (
        "final folds: 4 of up to 10 runs done | 0 running | 1 failed | 1 were there | "
        "1:00:00 gone, about 5:00 left | best: 51.0 %"
    )
    assert (progress.done, progress.known, progress.failed, progress.reused) == (4, 4, 1, 1)


def test_groups_have_paces_of_their_own() -> None:
    progress = Progress(slots=1)
    progress.expect("stage 1", 2, 10.0)
    progress.expect("final", 2, 10.0)
    progress.take({"running": [], "finished": [finished("stage 1", 10, 5)]})
    assert progress.seconds_left() == pytest.approx((1 + 2) * 5)  # the new group at the pace of all
    progress.take({"running": [], "finished": [finished("final", 10, 20)]})
    assert progress.seconds_left() == pytest.approx(5 + 20)


def test_more_runs_than_expected_never_make_the_total_too_small_or_the_time_negative() -> None:
    progress = Progress(slots=1)
    progress.expect("inner", 1, 10.0)
    progress.take({"running": [], "finished": [finished("inner", 10, 1)] * 3})
    assert (progress.done, progress.total) == (3, 3)
    assert progress.seconds_left() == 0


def test_nothing_expected_is_no_time_left() -> None:
    assert Progress(slots=0).seconds_left() == 0


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def snapshots(known: int) -> dict[str, Any]:
    """Two tasks have finished; those already known are not given again."""
    return {"running": [], "finished": [finished("final", 1, 1)] * (2 - known)}


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_the_last_line_is_shown_when_the_block_ends(stream: io.StringIO) -> None:
    progress = Progress(slots=1)
    progress.expect("final", 2, 1.0)
    with displayed(progress, snapshots, stream):
        pass
    last = stream.getvalue()
    assert last.endswith("\n")
    assert "2 of up to 2 runs done" in last
    assert last.startswith("\r") == stream.isatty()
    assert progress.known == 2


def test_every_finished_task_is_counted_once_while_the_display_renews_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress_module, "REFRESH_SECONDS", 0.001)
    shown = threading.Event()
    calls: list[int] = []

    def counted(known: int) -> dict[str, Any]:
        calls.append(known)
        if len(calls) > 3:
            shown.set()
        return snapshots(known)

    progress = Progress(slots=1)
    with displayed(progress, counted, Terminal()):
        assert shown.wait(5)
    assert calls[:2] == [0, 2]
    assert progress.done == 2


def test_after_an_error_nothing_is_asked_any_more() -> None:
    def gone(known: int) -> dict[str, Any]:
        raise AssertionError("the dispatcher is gone")

    with pytest.raises(KeyError), displayed(Progress(slots=1), gone, io.StringIO()):
        raise KeyError
