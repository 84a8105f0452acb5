from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.files.stored_zip import read_stored_zip, stored_zip

NAMES = re.compile(r"[a-z]+(/[a-z]+)?")
FILES = {"b/file": b"12345", "a": b""}


def written(path: Path, entries: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_what_is_written_is_read_and_equal_files_give_equal_bytes(tmp_path: Path) -> None:
    content = stored_zip(FILES)
    (tmp_path / "x.zip").write_bytes(content)
    assert read_stored_zip(tmp_path / "x.zip", NAMES) == (FILES, ())
    assert stored_zip(dict(reversed(FILES.items()))) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a", "b/file"]


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", "C:a", "a\\b", "A", "a/", "a\n"])
def test_names_that_are_not_expected_are_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "x.zip", [(name, b"x")])
    with pytest.raises(UserError, match="do not belong"):
        read_stored_zip(path, NAMES)


def test_compressed_entries_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "x.zip", [("a", bytes(10**6))], zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match="a compressed or encrypted"):
        read_stored_zip(path, NAMES)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "x.zip", [("a", b"1"), ("a", b"2")])
    with pytest.raises(UserError, match="a name twice: 'a', 'a'"):
        read_stored_zip(path, NAMES)


def test_too_many_or_too_large_files_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "x.zip", [("a", b"1"), ("b", b"2")])
    with pytest.raises(UserError, match="has 2 files, but at most 1"):
        read_stored_zip(path, NAMES, most_files=1)
    with pytest.raises(UserError, match="at most 10 are read"):
        read_stored_zip(path, NAMES, largest_bytes=10)


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """A directory of many entries that all point to the same large file."""
    content = bytearray(stored_zip({"a": bytes(1000), "b": b"1", "c": b"2"}))
    directory = content.index(b"PK\x01\x02")
    for _ in range(2):  # entries b and c: sizes and place of a
        directory = content.index(b"PK\x01\x02", directory + 4)
        content[directory + 20 : directory + 28] = (1000).to_bytes(4, "little") * 2
        content[directory + 42 : directory + 46] = bytes(4)
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(UserError, match="states sizes that it cannot hold"):
        read_stored_zip(tmp_path / "x.zip", NAMES)


def test_a_damaged_file_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(stored_zip(FILES).replace(b"12345", b"12x45"))
    assert read_stored_zip(tmp_path / "x.zip", NAMES) == ({"a": b""}, ("b/file",))


@pytest.mark.parametrize("content", [b"", b"PK", b"text", stored_zip(FILES)[:-30], stored_zip(FILES)[60:]])
def test_what_is_no_zip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(UserError, match=r"x\.zip is not a readable zip file"):
        read_stored_zip(tmp_path / "x.zip", NAMES)
