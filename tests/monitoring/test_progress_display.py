from __future__ import annotations

import io
import threading
from typing import Any

import pytest

from platform.monitoring import progress_display as display_module
from platform.monitoring.progress import Progress
from platform.monitoring.progress_display import displayed
from tests.monitoring.test_progress import finished, told


def test_what_one_snapshot_does_not_hold_is_fetched_at_once() -> None:
    entries = [finished("final", 1, 1) for _ in range(5)]
    asked: list[int] = []

    def pieces(known: int) -> dict[str, Any]:
        asked.append(known)
        return {**told(*entries[known : known + 2]), "finished_count": len(entries)}

    progress = Progress(slots=1)
    progress.expect("final", 5, 1.0)
    display_module._Screen(progress, pieces, io.StringIO()).show()
    assert (progress.done, asked) == (5, [0, 2, 4])


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


TWO = (finished("final", 1, 1), finished("final", 1, 1))


def snapshots(known: int) -> dict[str, Any]:
    """Two tasks have finished; those already known are not given again."""
    return told(*TWO[known:])


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_the_last_line_is_shown_when_the_block_ends(stream: io.StringIO) -> None:
    progress = Progress(slots=1)
    progress.expect("final", 2, 1.0)
    with displayed(progress, snapshots, stream):
        pass
    last = stream.getvalue()
    assert last.endswith("\n")
    assert "2 of up to 2 runs done" in last
    assert ("\r" in last) == stream.isatty()
    assert progress.known == 2


def test_every_finished_task_is_counted_once_while_the_display_renews_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(display_module, "REFRESH_SECONDS", 0.001)
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


def test_a_log_file_gets_a_line_when_something_has_happened_and_not_too_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(display_module.time, "monotonic", lambda: now[0])
    stream, runs = io.StringIO(), [finished("final", 1, 1)]
    progress = Progress(slots=1)
    screen = display_module._Screen(progress, lambda known: told(*runs[known:]), stream)

    def lines_at(seconds: float) -> int:
        now[0] = seconds
        screen.show()
        return stream.getvalue().count("\n")

    assert [lines_at(seconds) for seconds in (1, 14, 15, 16, 200)] == [0, 0, 1, 1, 1]
    assert lines_at(316) == 2  # nothing happens, and it says that it lives
    runs.append(finished("final", 1, 1))
    assert [lines_at(seconds) for seconds in (317, 331)] == [2, 3]
    assert "\r" not in stream.getvalue()


def test_a_terminal_s_line_is_never_longer_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    display_module._Screen(Progress(slots=1), snapshots, stream).show()
    assert len(stream.getvalue().removeprefix("\r\033[K")) == 39


def test_a_lost_dispatcher_ends_the_display_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(display_module, "REFRESH_SECONDS", 0.001)
    asked = threading.Event()

    def lost(known: int) -> dict[str, Any]:
        asked.set()
        raise ConnectionError("the dispatcher is gone")

    def work() -> None:
        with displayed(Progress(slots=1), lost, io.StringIO()):
            assert asked.wait(5)
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert capfd.readouterr() == ("", "")
