"""A file system without rename, append, overwrite or exclusive creation is found out, and named."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from platform.files.abilities import Unable, check_abilities
from platform.files.dry_run import dry_run
from platform.files.local_storage import LOCAL


def failing(number: int) -> Callable[..., Any]:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


def without_flag(flag: int, number: int) -> Callable[..., int]:
    """os.open that refuses this flag, as a mounted object store does."""
    real = os.open

    def opened(path: Any, flags: int, *more: Any, **options: Any) -> int:
        if flags & flag:
            raise OSError(number, os.strerror(number))
        return real(path, flags, *more, **options)

    return opened


def test_a_disk_can_do_it_all_and_nothing_stays(tmp_path: Path) -> None:
    check_abilities(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "fake", "what", "reason"),
    [
        ("replace", failing(errno.ENOSYS), "rename a file over another", "Function not implemented"),
        ("rename", failing(errno.EPERM), "rename a folder", "Operation not permitted"),
        ("rename", lambda *_: None, "rename a folder", "No such file or directory"),
        ("open", without_flag(os.O_APPEND, errno.ENOTSUP), "append to a file", "not supported"),
        ("open", without_flag(os.O_EXCL, errno.EINVAL), "create a file exclusively and sync it", "Invalid"),
        ("fsync", failing(errno.ENOSYS), "create a file exclusively and sync it", "Function not impl"),
    ],
)
def test_what_is_lacking_is_named(
    name: str, fake: Any, what: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, name, fake)
    with pytest.raises(Unable) as unable:
        check_abilities(tmp_path)
    assert unable.value.what == what
    assert reason in str(unable.value.strerror)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_that_makes_a_file_twice_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, *more: real(path, flags & ~os.O_EXCL, *more))
    with pytest.raises(Unable, match="same file twice"):
        check_abilities(tmp_path)


def test_one_that_replaces_folders_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.rename

    def merging(source: Path, target: Path) -> None:
        if target.exists():
            real(target, target.with_name("gone"))
        real(source, target)

    monkeypatch.setattr(os, "rename", merging)
    with pytest.raises(Unable, match="with content was replaced") as unable:
        check_abilities(tmp_path)
    assert unable.value.what == "rename a folder"


def test_one_that_forgets_what_was_appended_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: real(handle, content.replace(b"+", b"?")))
    with pytest.raises(Unable, match="other content") as unable:
        check_abilities(tmp_path)
    assert unable.value.what == "append to a file"


def test_a_full_disk_is_no_lack_of_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC))
    with pytest.raises(OSError, match="No space left") as full:
        check_abilities(tmp_path)
    assert not isinstance(full.value, Unable)


def test_a_folder_in_which_nothing_can_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "mkdir", failing(errno.EROFS))
    with pytest.raises(OSError, match="Read-only") as refused:
        check_abilities(tmp_path)
    assert refused.value.filename == str(tmp_path)


def test_a_dry_run_tries_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "rename", failing(errno.ENOSYS))
    with dry_run():
        LOCAL.check_writable(tmp_path / "runs")
    with pytest.raises(Unable):
        LOCAL.check_writable(tmp_path / "runs")
