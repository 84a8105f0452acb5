"""Standard output that is closed, full, left or ASCII, and names that give orders to a terminal."""

from __future__ import annotations

import ast
import errno
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from platform.host.console import SafeStream, encodable, one_line, safe_streams, visible
from platform.table import main
from tests.fake_runs import demo_experiment

ORDERS = "\x1b]0;owned\x07\x1b[2J"
SHOWN = "\\x1b]0;owned\\x07\\x1b[2J"


class Broken(io.StringIO):
    """A stream whose every write fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.tries = 0

    def write(self, text: str) -> int:
        self.tries += 1
        raise self.error

    def isatty(self) -> bool:
        raise ValueError("I/O operation on closed file")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    demo_experiment(root)
    return root


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (ORDERS, SHOWN),
        ("a\rb\x08\x7f\x9b2J", "a\\rb\\x08\\x7f\\x9b2J"),
        ("photo\u202egnp.exe", "photo\\u202egnp.exe"),
        ("caf\udce9", "caf\\udce9"),
        ("Ωmega 怒り\tand\nmore", "Ωmega 怒り\tand\nmore"),
    ],
)
def test_what_gives_orders_is_written_out_and_other_text_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_in_one_line_line_ends_are_written_out_too() -> None:
    assert one_line(f"a\tb\n{ORDERS}") == f"a\\tb\\n{SHOWN}"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "80–90 † é 怒"),
        ("ascii", "80-90 ^ e \\u6012"),
        ("latin-1", "80-90 ^ é \\u6012"),
        (None, "80–90 † é 怒"),
    ],
)
def test_what_an_encoding_lacks_is_replaced_by_the_nearest(encoding: str | None, shown: str) -> None:
    assert encodable("80–90 † é 怒", encoding) == shown


def test_a_progress_line_may_renew_itself_and_a_name_in_it_may_not() -> None:
    under = io.StringIO()
    stream = SafeStream(under, "standard output")
    print("\r\033[K1 of 2", end="", file=stream)
    print("\r\033[K2 of \r\033[K", file=stream)
    assert under.getvalue() == "\r\033[K1 of 2\r\033[K2 of \\r\\x1b[K\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (ValueError("I/O operation on closed file"), "I/O operation on closed file"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), None),
    ],
)
def test_the_first_failure_ends_the_output_and_is_said_once(
    error: Exception, said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    under = Broken(error)
    stream = SafeStream(under, "standard output")
    for _ in range(3):
        print("text", file=stream, flush=True)
    assert under.tries == 1
    expected = (
        f"note: standard output cannot be written ({said}); further output is lost, the run continues.\n"
    )
    assert capsys.readouterr().err == ("" if said is None else expected)
    assert not stream.isatty()


def test_a_failing_standard_error_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Broken(OSError(errno.ENOSPC, "full")))
    monkeypatch.setattr(sys, "stdout", Broken(OSError(errno.ENOSPC, "full")))
    with safe_streams():
        print("text", file=sys.stderr)
        print("text")


def test_a_line_is_there_as_soon_as_it_is_printed(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as file:
        print("half", end="", file=SafeStream(file, "log"))
        assert (tmp_path / "log").read_text() == ""
        print(" and end", file=SafeStream(file, "log"))
        assert (tmp_path / "log").read_text() == "half and end\n"


def test_the_streams_are_put_back_also_after_an_exit() -> None:
    before = sys.stdout, sys.stderr
    with pytest.raises(SystemExit, match="True"), safe_streams():
        sys.exit(isinstance(sys.stdout, SafeStream))
    assert (sys.stdout, sys.stderr) == before


COMMAND = """
import sys
from platform.cli.parser import run
def main(argv):
    print("x" * 100_000)
    for number in range(100):
        print(number)
    print("done", file=sys.stderr)
    return int(argv[0])
run(main)
"""


@pytest.mark.parametrize(
    "redirection", [">/dev/full", ">&-", ">&- 2>&- <&-", "2>/dev/full >/dev/full", "| head -n 1"]
)
@pytest.mark.parametrize("status", [0, 1])
def test_a_command_ends_with_the_status_of_its_work(root: Path, redirection: str, status: int) -> None:
    """Also at the very end: what is still buffered must not fail when Python flushes it."""
    line = f'"$0" -c "$1" {status} {redirection}; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable, COMMAND], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    said = done.stderr.splitlines()
    if "2>" not in redirection:
        assert said[-1] == "done"
        assert [line.startswith("note: standard output") for line in said[:-1]] == (
            [] if "|" in redirection else [True]
        )


def test_a_file_opened_by_a_closed_command_is_not_its_standard_output(root: Path, tmp_path: Path) -> None:
    code = f"""
from platform.cli.parser import run
import os, subprocess, sys
def main(argv):
    with open({str(tmp_path / "journal")!r}, "w") as file:
        file.write("journal")
        file.flush()
        os.write(1, b"of a library")
        subprocess.run([sys.executable, "-c", "import os; os.write(2, b'of a child')"], check=True)
run(main)
"""
    done = subprocess.run(
        ["bash", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, code], cwd=root, check=False
    )
    assert done.returncode == 0
    assert (tmp_path / "journal").read_text() == "journal"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_the_table_is_shown_in_every_encoding(
    runs: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    under = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(under, encoding=encoding))
    with safe_streams():
        assert not main(["--runs", str(runs)])
    text = under.getvalue().decode(encoding)
    dash = "–" if encoding in ("cp1252", "utf-8") else "-"
    assert re.search(rf"\d{dash}\d", text)
    assert "\\u" not in text


def test_every_command_ends_through_the_safe_place(root: Path) -> None:
    commands = 0
    for path in sorted((root / "platform").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test):
                commands += 1
                body = [ast.unparse(one) for one in node.body]
                assert len(body) == 1, path
                assert re.fullmatch(r"run\(\w+\)", body[0]), path
    assert commands >= 8


def test_nobody_prints_past_the_safe_place(root: Path) -> None:
    """sys.__stdout__, sys.stdout.buffer and os.write would; native_output.py only moves descriptors."""
    for folder in ("platform", "datasets", "search_spaces"):
        for path in sorted((root / folder).rglob("*.py")):
            if path.name == "native_output.py":
                continue
            text = path.read_text(encoding="utf-8")
            for way in (
                "sys.__stdout__",
                "sys.__stderr__",
                "stdout.buffer",
                "stderr.buffer",
                "os.write(1",
                "os.write(2",
            ):
                assert way not in text, (path, way)
