"""Only regular files are opened, never for longer than it takes, and never beyond a bound."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.files import opening
from platform.files.json_files import read_json
from platform.files.opening import (
    MissingFile,
    check_regular,
    file_sha256,
    open_regular,
    read_bytes,
    read_text,
)
from platform.files.tables import read_rows, read_table
from platform.files.yaml_files import read_yaml

READERS: list[Callable[[Path], object]] = [
    check_regular, open_regular, read_bytes, read_text, file_sha256, read_json, read_yaml, read_table,
    lambda path: list(read_rows(path)),
]  # fmt: skip


@pytest.fixture(params=["pipe", "device", "socket", "folder", "link to a pipe"])
def no_file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What would make a plain `open` wait, or fail in a way of its own."""
    path = tmp_path / "input"
    match request.param:
        case "pipe":
            os.mkfifo(path)
        case "device":
            return Path("/dev/zero")
        case "socket":
            monkeypatch.chdir(tmp_path)  # a socket's address must be short
            with socket.socket(socket.AF_UNIX) as one:
                one.bind("input")
        case "folder":
            path.mkdir()
        case _:
            os.mkfifo(tmp_path / "pipe")
            path.symlink_to(tmp_path / "pipe")
    return path


@pytest.mark.timeout(20)
@pytest.mark.parametrize("read", READERS)
def test_what_is_no_regular_file_is_refused_at_once(no_file: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(UserError, match=rf"^{no_file} is a \w+.*, but a regular file is needed"):
        read(no_file)


@pytest.mark.parametrize("read", READERS)
def test_a_missing_file_is_told_from_an_unreadable_one(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    with pytest.raises(MissingFile, match=r"cannot read .*none: No such file"):
        read(tmp_path / "none")
    (tmp_path / "file").write_text("x")
    with pytest.raises(MissingFile, match=r"cannot read .*below: Not a directory"):
        read(tmp_path / "file" / "below")
    for path in (tmp_path / ("x" * 300), tmp_path / "a\0b"):
        with pytest.raises(UserError, match="cannot read") as raised:
            read(path)
        assert not isinstance(raised.value, MissingFile)


def test_a_pipe_that_takes_the_place_of_a_file_while_it_is_opened_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, regular = tmp_path / "pipe", tmp_path / "regular"
    os.mkfifo(path)
    regular.touch()
    looked_at = regular.stat()
    monkeypatch.setattr(opening.os, "stat", lambda _: looked_at)
    with pytest.raises(UserError, match="is a named pipe"):
        read_bytes(path)


def test_bytes_are_read_whole_and_up_to_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"", b"x", os.urandom(3 * 2**20)):
        path.write_bytes(content)
        assert read_bytes(path) == content
        assert read_bytes(path, largest_bytes=len(content)) == content
    with pytest.raises(UserError, match=r"file has 3,145,728 bytes, but at most 1,000"):
        read_bytes(path, largest_bytes=1000)


def test_a_file_that_states_no_size_is_read_to_its_end() -> None:
    """Such as those of the kernel."""
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("no Linux")
    assert b"Pid:" in read_bytes(status)
    with pytest.raises(UserError, match="at most 10 are read"):
        read_bytes(status, largest_bytes=10)


def test_text_is_utf8_or_carries_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "text"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_text("año\nJosé", encoding=encoding)
        assert read_text(path) == "año\nJosé"
    path.write_text("a\nb\nJosé", encoding="latin1")
    with pytest.raises(UserError, match=r"text, line 3 is not text in UTF-8 \(byte 7\)"):
        read_text(path)
    path.write_text("a\nJosé", encoding="utf-16-le")
    with pytest.raises(UserError, match=r"text, line \d is not text in UTF-8"):
        read_text(path)
    path.write_bytes(b"\xff\xfea")
    with pytest.raises(UserError, match="line 1 is not text in UTF-8"):
        read_text(path)


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("no Linux")
    (tmp_path / "text").write_bytes(b"\xe9")
    before = len(os.listdir(descriptors))
    for read in (read_text, read_json, read_yaml, read_table):
        with pytest.raises(UserError):
            read(tmp_path / "text")
    check_regular(tmp_path / "text")
    file_sha256(tmp_path / "text")
    assert len(os.listdir(descriptors)) == before
