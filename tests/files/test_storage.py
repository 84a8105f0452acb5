"""What every storage must do; LocalStorage's own promises are in test_local_storage.py."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.files.local_storage import LOCAL, READABLE
from platform.files.opening import MissingFile
from platform.files.storage import Storage
from tests.files.memory_storage import MemoryStorage


@pytest.fixture(params=["local", "readable", "memory"])
def storage(request: pytest.FixtureRequest) -> Storage:
    return {"local": LOCAL, "readable": READABLE, "memory": MemoryStorage()}[request.param]


def test_every_method_of_the_interface_is_tested_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert all(f"storage.{name}(" in text for name in Storage.__abstractmethods__)


def test_a_file_is_created_in_a_new_folder_and_replaced(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    for content in (b"first, longer", b"\x00\xff", b""):
        storage.replace(path, content)
        assert storage.read(path) == content
    assert storage.names(path.parent) == ["file"]


def test_a_file_below_a_file_is_an_error_that_names_it(storage: Storage, tmp_path: Path) -> None:
    storage.replace(tmp_path / "file", b"x")
    with pytest.raises(OSError, match="inside"):
        storage.replace(tmp_path / "file" / "inside", b"x")
    with pytest.raises(OSError, match="folder"):
        storage.write_once(tmp_path / "file" / "folder", {"a": b""}, lambda folder: False)
    assert storage.read(tmp_path / "file") == b"x"


def test_what_does_not_exist_is_neither_read_nor_listed(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "no" / "such"
    with pytest.raises(MissingFile, match=r"such.*; copy it\."):
        storage.read(path, remedy="copy it.")
    assert not storage.exists(path)
    assert not storage.exists(path.parent)
    assert storage.names(path) == []
    storage.remove(path)
    with pytest.raises(FileNotFoundError):
        storage.move(path, tmp_path / "target")


def test_no_more_is_read_than_allowed(storage: Storage, tmp_path: Path) -> None:
    storage.replace(tmp_path / "file", b"12345")
    assert storage.read(tmp_path / "file", largest_bytes=5) == b"12345"
    with pytest.raises(UserError, match=r"has 5 bytes, but .*at most 4"):
        storage.read(tmp_path / "file", largest_bytes=4)


def test_names_are_those_directly_in_the_folder_sorted(storage: Storage, tmp_path: Path) -> None:
    for name in ("b", "a/1", "a/2", "c/d/e"):
        storage.replace(tmp_path / name, b"")
    assert storage.names(tmp_path) == ["a", "b", "c"]
    assert storage.names(tmp_path / "a") == ["1", "2"]
    assert storage.exists(tmp_path / "c")
    with pytest.raises(NotADirectoryError):
        storage.names(tmp_path / "b")


def test_a_final_folder_is_written_once(storage: Storage, tmp_path: Path) -> None:
    folder = tmp_path / "kind" / "name"

    def is_final(one: Path) -> bool:
        return storage.exists(one / "manifest") and storage.read(one / "manifest") == b"final"

    assert storage.write_once(folder, {"data": b"half", "manifest": b"failed"}, is_final)
    assert storage.write_once(folder, {"manifest": b"final"}, is_final), "what is not final is replaced"
    assert storage.names(folder) == ["manifest"], "nothing of the earlier one stays"
    assert not storage.write_once(folder, {"data": b"late", "manifest": b"final"}, is_final)
    assert storage.names(folder) == ["manifest"]
    assert storage.names(folder.parent) == ["name"], "nothing lies beside it"


def test_of_many_writers_one_folder_stays_whole(storage: Storage, tmp_path: Path) -> None:
    folder, start = tmp_path / "name", threading.Barrier(8)

    def is_final(one: Path) -> bool:
        try:
            return storage.read(one / "last") != b"failed"
        except MissingFile:
            return False

    def write(number: int) -> bool:
        start.wait()
        content = b"failed" if number % 4 == 0 else b"%d" % number
        return storage.write_once(folder, {"first": content, "last": content}, is_final)

    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(write, range(8)))
    assert sum(done for number, done in enumerate(written) if number % 4) == 1
    winner = storage.read(folder / "last")
    assert written[int(winner)]
    assert storage.read(folder / "first") == winner
    assert storage.names(tmp_path) == ["name"]


@pytest.mark.parametrize("earlier", [{}, {"old": b"1", "both": b"1"}])
def test_a_folder_takes_the_name_of_another(
    storage: Storage, tmp_path: Path, earlier: dict[str, bytes]
) -> None:
    for name, content in earlier.items():
        storage.replace(tmp_path / "folder" / name, content)
    for name in ("both", "new"):
        storage.replace(tmp_path / "made" / name, b"2")
    storage.replace_folder(tmp_path / "made", tmp_path / "folder")
    folder = tmp_path / "folder"
    assert [(name, storage.read(folder / name)) for name in storage.names(folder)] == [
        ("both", b"2"),
        ("new", b"2"),
    ]
    assert storage.names(tmp_path) == ["folder"]


def test_of_many_that_move_one_succeeds(storage: Storage, tmp_path: Path) -> None:
    storage.replace(tmp_path / "source" / "a", b"a")
    start = threading.Barrier(8)

    def move(number: int) -> bool:
        start.wait()
        try:
            storage.move(tmp_path / "source", tmp_path / f"target{number}")
        except FileNotFoundError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(move, range(8)))
    assert sum(moved) == 1
    assert storage.names(tmp_path) == [f"target{moved.index(True)}"]
    assert storage.read(tmp_path / f"target{moved.index(True)}" / "a") == b"a"


def test_a_version_changes_with_the_file_where_there_is_one(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert storage.version(path) is None
    seen = []
    for content in (b"one", b"two", b"longer"):
        storage.replace(path, content)
        version = storage.version(path)
        assert version == storage.version(path)
        assert version is None or version not in seen
        seen.append(version)


def test_files_and_folders_are_removed(storage: Storage, tmp_path: Path) -> None:
    for name in ("file", "folder/a", "folder/b/c", "stays"):
        storage.replace(tmp_path / name, b"")
    storage.remove(tmp_path / "file")
    storage.remove(tmp_path / "folder")
    assert storage.names(tmp_path) == ["stays"]


def test_a_folder_that_cannot_be_made_is_found_before(storage: Storage, tmp_path: Path) -> None:
    storage.check_writable(tmp_path / "new" / "folder")
    assert storage.names(tmp_path) == []
    storage.replace(tmp_path / "file", b"")
    with pytest.raises(NotADirectoryError, match="file"):
        storage.check_writable(tmp_path / "file" / "folder")


def test_an_overwrite_changes_the_start_only(storage: Storage, tmp_path: Path) -> None:
    for content in (b"12345678", b"abc", b"A"):
        storage.overwrite(tmp_path / "lease", content)
    assert storage.read(tmp_path / "lease") == b"Abc45678"


def test_a_lock_is_held_by_one_and_free_again_after_its_block(storage: Storage, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "lock"
    for _ in range(2):
        with storage.lock(path) as first, storage.lock(path) as second, storage.lock(path) as third:
            assert (first, second, third) == ("acquired", "held", "held")
            with storage.lock(path.with_name("other")) as other:
                assert other == "acquired"
