"""`--log-json`: one schema for every event, and standard output for lines alone where it is asked."""

from __future__ import annotations

import io
import json
import typing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.monitoring.event_log import KEYS, EventLog, EventName, event_log

NOON = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("event", typing.get_args(EventName))
def test_every_event_is_one_line_with_the_same_keys(event: EventName) -> None:
    stream = io.StringIO()
    EventLog(stream, lambda: NOON).write(event, trial=3, score=0.5)
    assert stream.getvalue().count("\n") == 1
    line = json.loads(stream.getvalue())
    assert tuple(line) == KEYS
    assert (line["time"], line["event"]) == ("2026-11-22T12:00:00.250Z", event)
    assert (line["trial"], line["score"], line["fold"]) == (3, 0.5, None)


def test_every_key_and_event_is_documented(root: Path) -> None:
    text = (root / "docs" / "performance.md").read_text(encoding="utf-8")
    for name in (*KEYS, *typing.get_args(EventName)):
        assert f"`{name}`" in text, name


def test_a_key_that_nobody_knows_is_refused() -> None:
    with pytest.raises(TypeError, match="no colour"):
        EventLog(io.StringIO()).write("progress", colour="red")


def test_a_file_is_added_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with event_log(str(tmp_path / "log")) as log:
            assert log is not None
            log.write("phase", detail="search")
    assert len((tmp_path / "log").read_text().splitlines()) == 2
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_ends_the_log_and_not_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    with event_log("/dev/full") as log:
        assert log is not None
        for _ in range(2):
            log.write("phase", detail="search")
    assert capsys.readouterr().err == (
        "note: the event log /dev/full cannot be written (No space left on device); further output is lost, "
        "the run continues.\n"
    )


def test_with_a_dash_lines_go_to_standard_output_and_all_else_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with event_log("-") as log:
        assert log is not None
        print("for people")
        log.write("phase", detail="search")
    print("afterwards")
    out, err = capsys.readouterr()
    assert err == "for people\n"
    line, rest = out.split("\n", 1)
    assert json.loads(line)["detail"] == "search"
    assert rest == "afterwards\n"


def test_no_log_is_no_log() -> None:
    with event_log(None) as log:
        assert log is None


def test_a_file_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--log-json cannot write .*no/such.*another file, or -"):
        event_log(str(tmp_path / "no" / "such")).__enter__()


def test_a_displaced_driver_logs_its_own_end_and_nothing_else() -> None:
    stream = io.StringIO()
    log = EventLog(stream)
    log.write("phase", detail="search")
    log.may_write = lambda: False
    log.write("progress")
    log.write("stopped")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["phase", "stopped"]


@pytest.mark.parametrize("half", [b'{"time": "2026-11-22T12:0', b'{"ti', b"\0" * 512])
def test_half_an_event_is_cut_off_and_said(
    half: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log"
    for _ in range(2):
        with event_log(str(path)) as log:
            assert log is not None
            log.write("phase", detail="search")
        path.write_bytes(path.read_bytes() + half)
    with event_log(str(path)):
        pass
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["phase", "phase"]
    assert capsys.readouterr().err == f"{path}: cut off an incomplete last event ({len(half)} bytes).\n" * 2


def test_a_file_that_ends_within_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("do not lose this")
    with (
        pytest.raises(UserError, match="last line is incomplete and no event"),
        event_log(f"{tmp_path}/notes"),
    ):
        pass
    assert (tmp_path / "notes").read_text() == "do not lose this"
