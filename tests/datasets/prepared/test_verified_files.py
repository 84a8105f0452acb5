"""A file is hashed once, again when anything about it changed, and nothing but the same file is believed."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datasets.prepared import verified_files
from datasets.prepared.verified_files import has_sha256
from platform.errors import UserError
from platform.files.dry_run import dry_run

CONTENT = b"faces" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Names of the files that were read and hashed; a file counts as settled at once."""
    names: list[str] = []
    digest = hashlib.file_digest

    def counted(file: Any, algorithm: str) -> Any:
        names.append(file.name)
        return digest(file, algorithm)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    monkeypatch.setattr(verified_files, "SETTLED_SECONDS", -1.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return names


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "data" / "prepared" / "ckplus-24" / "images.npy"
    made.parent.mkdir(parents=True)
    made.write_bytes(CONTENT)
    return made


def test_a_file_is_hashed_once(path: Path, hashed: list[str]) -> None:
    assert all(has_sha256(path, SHA256) for _ in range(3))
    assert len(hashed) == 1
    (remembered,) = (path.parent.parent / ".verified").iterdir()
    assert remembered.read_bytes() == b""
    assert [entry.name for entry in path.parent.iterdir()] == ["images.npy"]


def test_the_record_of_a_layers_file_lies_beside_the_store(path: Path, hashed: list[str]) -> None:
    layer = path.parent / "layers" / "sequences" / "frames.npy"
    layer.parent.mkdir(parents=True)
    layer.write_bytes(CONTENT)
    assert all(has_sha256(layer, SHA256, store=path.parent) for _ in range(2))
    assert len(hashed) == 1
    assert len(list((path.parent.parent / ".verified").iterdir())) == 1
    assert [entry.name for entry in layer.parent.parent.iterdir()] == ["sequences"]


def test_another_hash_is_not_believed_for_a_file_that_was_verified(path: Path, hashed: list[str]) -> None:
    assert has_sha256(path, SHA256)
    assert not has_sha256(path, hashlib.sha256(b"others").hexdigest())


def edit_in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(70)
        file.write(b"F")


def edit_and_restore_the_times(path: Path) -> None:
    state = path.stat()
    edit_in_place(path)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def copy_over_with_its_times(path: Path) -> None:
    """As `cp -p` and `rsync -a` do."""
    damaged = path.with_name("damaged")
    shutil.copy2(path, damaged)
    edit_and_restore_the_times(damaged)
    os.replace(damaged, path)


@pytest.mark.parametrize("change", [edit_in_place, edit_and_restore_the_times, copy_over_with_its_times])
def test_a_changed_file_of_the_same_size_is_noticed(
    path: Path, hashed: list[str], change: Callable[[Path], None]
) -> None:
    assert has_sha256(path, SHA256)
    change(path)
    assert not has_sha256(path, SHA256)
    assert not has_sha256(path, SHA256)
    assert len(hashed) == 3


def test_a_copy_of_the_whole_data_root_is_hashed_again(path: Path, hashed: list[str], tmp_path: Path) -> None:
    """What was remembered is copied with it, and must speak for the first one only."""
    assert has_sha256(path, SHA256)
    copy = shutil.copytree(tmp_path / "data", tmp_path / "copy")
    assert (copy / "prepared" / ".verified").is_dir()
    assert has_sha256(copy / path.relative_to(tmp_path / "data"), SHA256)
    assert len(hashed) == 2


def test_a_moved_store_is_not_hashed_again(path: Path, hashed: list[str], tmp_path: Path) -> None:
    assert has_sha256(path, SHA256)
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    assert has_sha256(tmp_path / "elsewhere" / path.relative_to(tmp_path / "data"), SHA256)
    assert len(hashed) == 1


def test_a_young_file_is_verified_and_not_remembered(
    path: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change within the same tick of the clock would leave its times as they are."""
    monkeypatch.setattr(verified_files, "SETTLED_SECONDS", 3600.0)
    assert has_sha256(path, SHA256)
    assert has_sha256(path, SHA256)
    assert len(hashed) == 2


def test_a_file_that_changes_while_it_is_hashed_is_not_remembered(
    path: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.file_digest

    def changed_behind_the_reader(file: Any, algorithm: str) -> Any:
        found = digest(file, algorithm)
        edit_and_restore_the_times(path)
        return found

    monkeypatch.setattr(hashlib, "file_digest", changed_behind_the_reader)
    has_sha256(path, SHA256)
    monkeypatch.setattr(hashlib, "file_digest", digest)
    assert not has_sha256(path, SHA256)


def test_where_the_data_may_not_be_written_to_the_users_cache_remembers(
    path: Path, hashed: list[str], tmp_path: Path
) -> None:
    (path.parent.parent / ".verified").write_bytes(b"")  # no folder can be made there
    assert has_sha256(path, SHA256)
    assert has_sha256(path, SHA256)
    assert len(hashed) == 1
    assert len(list((tmp_path / "cache").rglob("verified/*"))) == 1


def test_where_nothing_may_be_written_every_opening_hashes(
    path: Path, hashed: list[str], tmp_path: Path
) -> None:
    (path.parent.parent / ".verified").write_bytes(b"")
    (tmp_path / "cache").write_bytes(b"")
    assert has_sha256(path, SHA256)
    assert has_sha256(path, SHA256)
    assert len(hashed) == 2


def test_a_dry_run_verifies_and_remembers_nothing(path: Path, hashed: list[str], tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    with dry_run():
        assert has_sha256(path, SHA256)
    assert sorted(tmp_path.rglob("*")) == before
    assert has_sha256(path, SHA256)
    assert sorted(tmp_path.rglob("*")) != before


def test_no_file_has_no_hash_and_a_pipe_is_not_waited_for(path: Path) -> None:
    assert not has_sha256(path.with_name("absent"), SHA256)
    os.mkfifo(path.with_name("pipe"))
    with pytest.raises(UserError, match="pipe is a named pipe, but a regular file is needed"):
        has_sha256(path.with_name("pipe"), SHA256)


def test_a_file_that_cannot_be_read_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(file: Any, algorithm: str) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(hashlib, "file_digest", broken)
    with pytest.raises(UserError, match=r"cannot read .*images\.npy: Input/output error"):
        has_sha256(path, SHA256)


def test_a_large_file_is_announced(
    path: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verified_files, "ANNOUNCED_BYTES", 1000)
    assert has_sha256(path, SHA256)
    assert capsys.readouterr().err.startswith(f"Verifying {path} (0 GB; ")
    assert has_sha256(path, SHA256)
    assert capsys.readouterr().err == ""
