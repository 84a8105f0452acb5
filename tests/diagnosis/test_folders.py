"""Folders: writable or not, with locks or without, and the space on their disks."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from platform.diagnosis.folders import disk_space, writable
from platform.files.abilities import Unable
from platform.files.local_storage import LocalStorage

GIB = 2**30


def test_a_folder_that_is_there_or_can_be_made_is_well_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    runs, data = writable({"runs": tmp_path, "data": tmp_path / "a" / "data"})
    assert (runs.state, runs.name, runs.value) == ("ok", "runs", f"{tmp_path}, writable")
    assert (data.state, data.value) == ("ok", f"{tmp_path}/a/data (made when needed), writable")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "remedy"), [("runs", "--runs DIR"), ("data", "--data-root DIR"), ("temporary files", "TMPDIR")]
)
def test_a_folder_that_cannot_be_written_fails_and_the_others_are_looked_at(
    name: str, remedy: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    bad, well = writable({name: tmp_path / "file" / "runs", "other": tmp_path})
    assert bad.state == "failed"
    assert "cannot be written: Not a directory" in bad.value
    assert remedy in bad.remedy
    assert well.state == "ok"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_missing_permissions_fail(tmp_path: Path) -> None:
    folder = tmp_path / "runs"
    folder.mkdir(mode=0o500)
    (found,) = writable({"runs": folder})
    assert found.state == "failed"


class Forbidden(LocalStorage):
    """A folder without permission to write, for root too, which may write into any real one."""

    def check_writable(self, folder: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))


def test_missing_permissions_fail_whoever_asks(tmp_path: Path) -> None:
    (found,) = writable({"runs": tmp_path}, Forbidden())
    assert found.state == "failed"
    assert "cannot be written: Permission denied" in found.value


class NoRename(LocalStorage):
    """A mounted object store."""

    def check_writable(self, folder: Path) -> None:
        raise Unable(OSError(errno.ENOSYS, "Function not implemented"), "rename a folder")


def test_a_mounted_object_store_fails(tmp_path: Path) -> None:
    (found,) = writable({"runs": tmp_path}, NoRename())
    assert found.state == "failed"
    assert "cannot rename a folder (Function not implemented)" in found.value
    assert "NFS" in found.remedy


class NoLocks(LocalStorage):
    """A network file system without locks."""

    def has_locks(self, folder: Path) -> bool:
        return False


def test_a_file_system_without_locks_is_a_warning(tmp_path: Path) -> None:
    (found,) = writable({"runs": tmp_path}, NoLocks())
    assert found.state == "warning"
    assert "no locks" in found.value


@pytest.mark.parametrize(
    ("bytes_free", "names", "state", "value"),
    [
        (GIB // 4, None, "failed", "runs 256 MiB"),
        (2 * GIB, None, "warning", "runs 2.0 GiB"),
        (100 * GIB, None, "ok", "free: runs 100.0 GiB"),
        (100 * GIB, 50, "warning", "only 50 more files (inodes)"),
    ],
)
def test_little_space_is_a_warning_and_hardly_any_fails(
    bytes_free: int, names: int | None, state: str, value: str, tmp_path: Path
) -> None:
    asked = []

    def free(folder: Path) -> tuple[int, int | None]:
        asked.append(folder)
        return bytes_free, names

    found = disk_space({"runs": tmp_path / "not" / "there"}, free)
    assert asked == [tmp_path]
    assert found.state == state
    assert value in found.value
    assert bool(found.remedy) == (state != "ok")


def test_the_disk_of_this_machine_is_looked_at(tmp_path: Path) -> None:
    assert "free: x " in disk_space({"x": tmp_path}).value
