"""A file that grows by lines never keeps half of one."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from platform.files.append_only import BLOCK_BYTES, append_synced, cut_damaged_end, last_line_start


@contextmanager
def files_limited_to(size_bytes: int) -> Iterator[None]:
    """Writes beyond that size fail, after a part of them: what a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (b"", 0),
        (b"one", 0),
        (b"one\n", 0),
        (b"one\ntwo", 4),
        (b"one\ntwo\n", 4),
        (b"\n\n", 1),
        (b"one\n" + b"x" * (2 * BLOCK_BYTES), 4),
        (b"x" * (BLOCK_BYTES - 1) + b"\n" + b"y" * BLOCK_BYTES + b"\n", BLOCK_BYTES),
    ],
)
def test_the_last_line_is_found(content: bytes, start: int, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    assert last_line_start(tmp_path / "file") == start


def test_half_a_line_is_cut_at_every_place_and_whole_ones_stay(tmp_path: Path) -> None:
    path, content = tmp_path / "file", b"first\nsecond\nlast\n"
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        kept = content[: content[:length].rfind(b"\n") + 1]
        assert cut_damaged_end(path, lambda line: True) == content[len(kept) : length]
        assert path.read_bytes() == kept


def test_a_last_line_that_is_not_whole_is_cut_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"good\nbad\nbad\n")
    assert cut_damaged_end(path, lambda line: line == b"good\n") == b"bad\n"
    assert path.read_bytes() == b"good\nbad\n"


def test_what_does_not_fit_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    append_synced(path, b"first\n")
    with files_limited_to(10), pytest.raises(OSError, match="too large"):
        append_synced(path, b"second\n")
    assert path.read_bytes() == b"first\n"
    append_synced(path, b"second\n")
    assert path.read_bytes() == b"first\nsecond\n"
