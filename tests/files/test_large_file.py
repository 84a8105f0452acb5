from __future__ import annotations

import stat
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.files.large_file import large_file


def test_parts_become_the_file_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with large_file(path) as file:
        file.write(b"one ")
        assert not path.exists()
        file.write(b"two")
    assert path.read_bytes() == b"one two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    with large_file(path) as file:
        file.write(b"again")
    assert path.read_bytes() == b"again"
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_an_error_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), large_file(path) as file:
        file.write(b"new" * (1 // (file.tell() * 0)))
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_place_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "table", tmp_path):
        with pytest.raises(UserError, match="cannot write "), large_file(path) as file:
            file.write(b"x")
