"""The progress line: quiet in log files, live on terminals."""

from __future__ import annotations

import io

from platform.cli.progress_line import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(stream: io.StringIO, total: int, seconds_each: float) -> str:
    now = [0.0]
    line = ProgressLine("faces", stream=stream, clock=lambda: now[0])
    for done in range(1, total + 1):
        now[0] += seconds_each
        line(done, total)
    return stream.getvalue()


def test_a_log_file_gets_ten_plain_lines() -> None:
    lines = run(io.StringIO(), total=1000, seconds_each=0.01).splitlines()
    assert len(lines) == 10
    assert lines[4] == "faces: 500 of 1000 (100/s, 5 s remaining)"
    assert lines[-1] == "faces: 1000 of 1000 (100/s, 10 s in total)"


def test_a_terminal_gets_one_line_that_renews_itself() -> None:
    text = run(Terminal(), total=1000, seconds_each=0.01)
    assert text.count("\n") == 1
    assert 40 <= text.count("\r") <= 51  # five times a second for ten seconds
    assert text.endswith("faces: 1000 of 1000 (100/s, 10 s in total)\n")


def test_what_came_before_the_first_call_does_not_count() -> None:
    now, stream = [0.0], io.StringIO()
    line = ProgressLine("faces", stream=stream, clock=lambda: now[0])
    now[0] = 100.0  # another kind of work, before
    line(1, 11)
    now[0] = 105.0
    line(11, 11)
    assert stream.getvalue().splitlines()[-1] == "faces: 11 of 11 (2/s, 5 s in total)"


def test_a_single_step_has_no_rate() -> None:
    assert run(io.StringIO(), total=1, seconds_each=1.0) == "faces: 1 of 1\n"
