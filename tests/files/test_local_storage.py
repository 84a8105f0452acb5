"""What LocalStorage promises beyond the interface: kills, full disks, permissions, names on the disk."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from platform.files.local_storage import LOCAL, READABLE, LocalStorage, is_temporary

EVERY_KILL = """
import json, os, shutil, sys
from pathlib import Path
from platform.files.local_storage import LOCAL

root = Path(sys.argv[1])

def kill_at(number, act):
    # A child that ends without any clean-up at its call of that number; False: it came to its end.
    child = os.fork()
    if child == 0:
        calls = 0

        def dying(function):
            def called(*arguments, **options):
                nonlocal calls
                calls += 1
                if calls == number:
                    os._exit(9)
                return function(*arguments, **options)
            return called

        for name in ("open", "fsync", "replace", "rename", "mkdir", "rmdir", "unlink", "fchmod"):
            setattr(os, name, dying(getattr(os, name)))
        act()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

def is_final(folder):
    return (folder / "manifest").exists()

def replaced(path):
    LOCAL.replace(path, b"new")

def written(folder):
    LOCAL.write_once(folder, {"data": b"data", "manifest": b"m"}, is_final)

def folder_replaced(folder):
    LOCAL.replace_folder(folder.with_name("made"), folder)

def outcomes(prepare, act, outcome, check=lambda: None):
    # What is there after a kill at the first call, at the second, ..., and after none.
    found, killed = [], True
    while killed:
        prepare()
        killed = kill_at(len(found) + 1, act)
        found.append(outcome())
        check()
    return found

path, folder, made = root / "file", root / "kind" / "result", root / "made"

def content_of(*folders):
    return [(one / "file").read_text() for one in folders if one.exists()]

def completed_by_the_next():
    written(folder)
    assert sorted(os.listdir(folder)) == ["data", "manifest"]
    assert os.listdir(root / "kind") == ["result"]

def two_folders():
    for one, content in ((root / "store", "old"), (made, "new")):
        shutil.rmtree(one, ignore_errors=True)
        one.mkdir()
        (one / "file").write_text(content)

seen = {
    "replace": outcomes(lambda: path.write_text("old"), lambda: replaced(path), path.read_text),
    "write_once": outcomes(
        lambda: shutil.rmtree(root / "kind", ignore_errors=True),
        lambda: written(folder),
        lambda: sorted(os.listdir(folder)) if folder.exists() else None,
        completed_by_the_next,
    ),
    "replace_folder": outcomes(
        two_folders, lambda: folder_replaced(root / "store"), lambda: content_of(root / "store", made)
    ),
}
print(json.dumps(seen))
"""


def test_a_kill_at_any_call_leaves_old_or_new_and_never_a_part(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EVERY_KILL, str(tmp_path)], capture_output=True, text=True, check=True
    )
    seen = json.loads(done.stdout)
    for name, allowed in {
        "replace": ["old", "new"],
        "write_once": [None, ["data", "manifest"]],
        "replace_folder": [["old", "new"], ["new"]],
    }.items():
        assert all(outcome in allowed for outcome in seen[name]), name
        assert all(each in seen[name] for each in allowed), "kills before the rename and after it"
        assert len(seen[name]) > 5


FULL_DISK = """
import errno, resource, signal, sys
from pathlib import Path
from platform.files.local_storage import LOCAL

path = Path(sys.argv[1]) / "file"
LOCAL.replace(path, b"old")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for act in (
    lambda: LOCAL.replace(path, bytes(5000)),
    lambda: LOCAL.write_once(path.with_name("result"), {"a": b"a", "b": bytes(5000)}, Path.exists),
):
    try:
        act()
    except OSError as error:
        print(error.errno == errno.EFBIG, error.filename)
"""


def test_a_write_that_does_not_fit_names_the_file_and_leaves_nothing(tmp_path: Path) -> None:
    """The process's own limit cuts the write in the middle, as a full disk does."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"True {tmp_path}/file\nTrue {tmp_path}/result\n"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize(("storage", "mode"), [(LOCAL, 0o600), (READABLE, 0o644)])
def test_permissions_are_the_umasks_or_stated(tmp_path: Path, storage: LocalStorage, mode: int) -> None:
    before = os.umask(0o077)
    try:
        storage.replace(tmp_path / "file", b"")
        storage.write_once(tmp_path / "folder", {"file": b""}, Path.exists)
    finally:
        os.umask(before)
    for path in (tmp_path / "file", tmp_path / "folder" / "file"):
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_missing_folder_is_made_only_if_wanted(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="file"):
        LOCAL.replace(tmp_path / "gone" / "file", b"", make_folder=False)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[str] = []

    def interrupted(source: Path, target: Path) -> None:
        left.append(source.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        LOCAL.replace(tmp_path / "file", b"new")
    assert list(tmp_path.iterdir()) == []
    assert is_temporary(left[0], "file")
    assert not is_temporary(left[0], "other")
    assert not is_temporary("file", "file")


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EIO])
def test_a_file_system_that_syncs_no_folders_is_used_and_a_failing_disk_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    whole = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(error, os.strerror(error))
        whole(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    if error == errno.EINVAL:
        LOCAL.replace(tmp_path / "file", b"new")
    else:
        with pytest.raises(OSError, match=f"error: '{tmp_path}/file'"):
            LOCAL.replace(tmp_path / "file", b"new")


def test_what_killed_writers_left_aside_goes_with_a_final_result_only(tmp_path: Path) -> None:
    left = tmp_path / "result.parts" / "of a killed writer"
    left.mkdir(parents=True)
    assert LOCAL.write_once(tmp_path / "result", {"a": b""}, lambda folder: False)
    assert left.exists(), "it may be another writer's that is still at work"
    assert LOCAL.write_once(tmp_path / "result", {"b": b""}, lambda folder: (folder / "b").exists())
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_open_files_of_a_replaced_folder_stay_readable(tmp_path: Path) -> None:
    for name in ("made", "folder"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    with (tmp_path / "folder" / "file").open() as file:
        LOCAL.replace_folder(tmp_path / "made", tmp_path / "folder")
        assert file.read() == "folder"
    assert (tmp_path / "folder" / "file").read_text() == "made"


def test_a_version_tells_a_changed_byte_though_the_times_are_set_back(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    before, state = LOCAL.version(path), path.stat()
    time.sleep(0.02)  # the clock of a file system ticks every few milliseconds
    path.write_bytes(b"two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert LOCAL.version(path) != before
