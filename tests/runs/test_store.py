from __future__ import annotations

import copy
import errno
import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from platform.errors import UserError
from platform.files import local_storage
from platform.files.local_storage import READABLE, LocalStorage
from platform.runs.identity import identity
from platform.runs.store import ResultsStore
from tests.files.memory_storage import MemoryStorage

RECORD = {"kind": "fold_run", "seed": 0}
NAME = identity(RECORD)
FILES = {"a.json": b"{}", "b.bin": b"\x00\x01"}


@pytest.fixture
def store(tmp_path: Path) -> ResultsStore:
    return ResultsStore(tmp_path / "runs")


def test_what_was_written_is_read_back(store: ResultsStore) -> None:
    written = store.write("fold_runs", NAME, RECORD, FILES, accuracy=0.5, seconds=1.25)
    manifest = store.manifest("fold_runs", NAME)
    assert manifest == written
    assert manifest is not None
    assert (manifest["identity"], manifest["status"], manifest["accuracy"]) == (NAME, "complete", 0.5)
    assert set(manifest["sha256"]) == {"record.json", "a.json", "b.bin"}
    assert store.is_complete("fold_runs", NAME)
    assert store.record("fold_runs", NAME) == RECORD
    assert store.read("fold_runs", NAME, "b.bin") == b"\x00\x01"
    assert sorted(path.name for path in store.folder("fold_runs", NAME).iterdir()) == [
        "a.json", "b.bin", "manifest.json", "record.json",
    ]  # fmt: skip


def test_the_store_stands_on_any_storage(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path / "runs", MemoryStorage())
    store.check_writable()
    assert store.manifest("fold_runs", NAME) is None
    store.write_failure("fold_runs", NAME, RECORD, "ValueError: no")
    first = store.write("fold_runs", NAME, RECORD, FILES, accuracy=0.5)
    assert store.write("fold_runs", NAME, RECORD, {"a.json": b"[]"}) == first
    assert store.manifest("fold_runs", NAME) == first
    assert store.read("fold_runs", NAME, "b.bin") == b"\x00\x01"
    assert store.record("fold_runs", NAME) == RECORD
    assert store.experiments() == []
    assert list(tmp_path.iterdir()) == []


def test_a_mounted_object_store_is_refused_before_anything_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_rename(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(os, "replace", no_rename)
    store = ResultsStore(tmp_path / "runs")
    with pytest.raises(UserError) as refused:
        store.check_writable()
    assert str(refused.value) == (
        f"a runs folder needs a file system that can rename a file over another, but that of {store.root} "
        "cannot (Function not implemented); pass --runs a folder on a local disk, or on NFS, EFS or FSx: a "
        "mounted object store will not do."
    )
    assert list(tmp_path.iterdir()) == []


class CountingStorage(LocalStorage):
    """Counts the files that are read."""

    reads = 0

    def read(self, path: Path, **options: Any) -> bytes:
        self.reads += 1
        return super().read(path, **options)


def test_a_manifest_is_read_again_only_after_a_change(tmp_path: Path) -> None:
    storage = CountingStorage()
    store = ResultsStore(tmp_path, storage)
    store.write("fold_runs", NAME, RECORD, FILES)
    storage.reads = 0
    assert [store.is_complete("fold_runs", NAME) for _ in range(3)] == [True] * 3
    assert storage.reads == 1
    path = store.folder("fold_runs", NAME) / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"complete"', b'"COMPLETE"'))
    with pytest.raises(UserError, match="was changed after it was written"):
        store.is_complete("fold_runs", NAME)
    store.remove("fold_runs", NAME)
    assert not store.is_complete("fold_runs", NAME)


def test_a_failed_result_is_looked_at_each_time(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    store.write_failure("fold_runs", NAME, RECORD, "ValueError: no")
    assert not store.is_complete("fold_runs", NAME)
    ResultsStore(tmp_path).write("fold_runs", NAME, RECORD, FILES)
    assert store.is_complete("fold_runs", NAME)


def test_a_store_travels_without_what_it_has_seen(store: ResultsStore) -> None:
    store.write("fold_runs", NAME, RECORD, FILES)
    assert store.is_complete("fold_runs", NAME)
    kind, parts = store.__reduce__()
    assert parts == (store.root, READABLE)
    assert kind(*parts) == store == copy.copy(store)


def test_kinds_do_not_mix(store: ResultsStore) -> None:
    store.write("stage1", NAME, RECORD, {})
    assert store.manifest("fold_runs", NAME) is None
    assert store.manifest("masks", NAME) is None


def test_nothing_is_there_before_it_is_written(store: ResultsStore) -> None:
    assert store.manifest("fold_runs", NAME) is None
    assert not store.is_complete("fold_runs", NAME)
    assert store.experiments() == []
    with pytest.raises(UserError, match=f"fold_runs {NAME} has no file record.json"):
        store.record("fold_runs", NAME)


@pytest.mark.parametrize("files_written", [0, 1, 2, 3])
def test_killed_between_any_two_files_the_result_is_not_there_and_can_be_written_again(
    files_written: int, store: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = local_storage.write_synced
    written: list[str] = []

    def killed(path: Path, content: bytes, **options: int | None) -> None:
        if len(written) == files_written:
            raise KeyboardInterrupt
        written.append(path.name)
        whole(path, content, **options)

    with monkeypatch.context() as patch:
        patch.setattr(local_storage, "write_synced", killed)
        with pytest.raises(KeyboardInterrupt):
            store.write("fold_runs", NAME, RECORD, FILES)
    assert "manifest.json" not in written
    assert store.manifest("fold_runs", NAME) is None
    store.write("fold_runs", NAME, RECORD, FILES)
    assert store.is_complete("fold_runs", NAME)


def test_the_manifest_is_written_last(store: ResultsStore, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    whole = local_storage.write_synced

    def write(path: Path, content: bytes, **options: int | None) -> None:
        written.append(path.name)
        whole(path, content, **options)

    monkeypatch.setattr(local_storage, "write_synced", write)
    store.write("fold_runs", NAME, RECORD, FILES)
    assert len(written) == 4
    assert written[-1] == "manifest.json"


def test_the_same_result_is_written_in_the_same_bytes(store: ResultsStore, tmp_path: Path) -> None:
    other = ResultsStore(tmp_path / "other")
    for each in (store, other):
        each.write("masks", NAME, RECORD, FILES, classes=["anger"])
    names = ["manifest.json", *FILES]
    first, second = (each.folder("masks", NAME) for each in (store, other))
    assert [(first / n).read_bytes() for n in names] == [(second / n).read_bytes() for n in names]


def test_a_result_copied_to_another_ones_place_is_refused(store: ResultsStore) -> None:
    store.write("fold_runs", NAME, RECORD, FILES)
    other = identity({**RECORD, "seed": 1})
    shutil.copytree(store.folder("fold_runs", NAME), store.folder("fold_runs", other))
    with pytest.raises(UserError, match=f"{other}/manifest.json belongs to the result {NAME}"):
        store.is_complete("fold_runs", other)


def test_a_failure_is_stored_with_its_traceback_and_is_not_complete(store: ResultsStore) -> None:
    store.write_failure("fold_runs", NAME, RECORD, "Traceback ...\nValueError: no")
    manifest = store.manifest("fold_runs", NAME)
    assert manifest is not None
    assert (manifest["status"], manifest["traceback"]) == ("failed", "Traceback ...\nValueError: no")
    assert not store.is_complete("fold_runs", NAME)
    assert store.record("fold_runs", NAME) == RECORD
    store.write("fold_runs", NAME, RECORD, FILES)
    assert store.is_complete("fold_runs", NAME)
    assert "traceback" not in (store.manifest("fold_runs", NAME) or {})


def test_an_edited_manifest_is_refused(store: ResultsStore) -> None:
    store.write("fold_runs", NAME, RECORD, FILES, accuracy=0.5)
    path = store.folder("fold_runs", NAME) / "manifest.json"
    path.write_text(path.read_text().replace("0.5", "0.9"))
    with pytest.raises(
        UserError, match=r"manifest\.json was changed after it was written .*; remove its folder"
    ):
        store.manifest("fold_runs", NAME)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "{}", '{"hash": 1}', '"hash"'])
def test_a_manifest_that_is_none_is_refused(store: ResultsStore, text: str) -> None:
    store.write("fold_runs", NAME, RECORD, FILES)
    path = store.folder("fold_runs", NAME) / "manifest.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"manifest\.json (is not a valid manifest|was changed)"):
        store.manifest("fold_runs", NAME)


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_file_is_refused_by_name_and_the_others_are_readable(
    store: ResultsStore, damage: str
) -> None:
    store.write("fold_runs", NAME, RECORD, FILES)
    path = store.folder("fold_runs", NAME) / "b.bin"
    if damage == "changed":
        path.write_bytes(b"\x00\x02")
    else:
        path.unlink()
    with pytest.raises(UserError, match=r"b\.bin does not match its manifest; remove its folder"):
        store.read("fold_runs", NAME, "b.bin")
    assert store.read("fold_runs", NAME, "a.json") == b"{}"


def test_only_files_of_the_manifest_are_read(store: ResultsStore) -> None:
    store.write("fold_runs", NAME, RECORD, FILES)
    (store.folder("fold_runs", NAME) / "stray").write_text("x")
    with pytest.raises(UserError, match="has no file stray"):
        store.read("fold_runs", NAME, "stray")


def test_a_folder_that_cannot_be_written_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in the way")
    with pytest.raises(UserError, match=rf"cannot write .*{NAME}: Not a directory"):
        ResultsStore(tmp_path / "runs").write("fold_runs", NAME, RECORD, FILES)


@pytest.mark.parametrize("name", ["", "../x", "ABCDEF12", "a" * 7, "g" * 24, "a" * 65, f"{NAME}/.."])
def test_what_is_no_identity_is_no_path(store: ResultsStore, name: str) -> None:
    with pytest.raises(UserError, match="an identity is 8 to 64 hexadecimal digits"):
        store.folder("fold_runs", name)


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a b", "-x"])
def test_what_is_no_experiments_name_is_no_path(store: ResultsStore, name: str) -> None:
    with pytest.raises(UserError, match="an experiment's name consists of letters, digits"):
        store.experiment_folder(name)


def test_experiments_are_the_folders_with_an_experiment_file(store: ResultsStore) -> None:
    for name in ("b", "a"):
        store.experiment_folder(name).mkdir(parents=True)
        (store.experiment_folder(name) / "experiment.json").write_text(json.dumps({}))
    store.experiment_folder("unfinished").mkdir()
    assert store.experiments() == ["a", "b"]


def test_the_root_is_absolute_so_that_workers_find_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ResultsStore(Path("runs")).root == tmp_path / "runs"


def test_a_complete_result_is_never_replaced(store: ResultsStore) -> None:
    first = store.write("fold_runs", NAME, RECORD, FILES, seconds=1.0)
    assert store.write_failure("fold_runs", NAME, RECORD, "OSError: no") == first
    assert store.write("fold_runs", NAME, RECORD, {"a.json": b"[]"}, seconds=2.0) == first
    assert store.manifest("fold_runs", NAME) == first
    assert store.read("fold_runs", NAME, "a.json") == b"{}"
    assert [path.name for path in store.folder("fold_runs", NAME).parent.iterdir()] == [NAME]


@pytest.mark.parametrize("second", ["complete", "failed"])
def test_what_another_writer_completes_meanwhile_stays(
    store: ResultsStore, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    """The other one comes after this one has looked, and before its folder is put in place."""
    whole = os.rename
    other = ResultsStore(store.root)

    def late(aside: Path, folder: Path) -> None:
        monkeypatch.setattr(os, "rename", whole)
        other.write("fold_runs", NAME, RECORD, {"a.json": b"[]"}, seconds=1.0)
        whole(aside, folder)

    monkeypatch.setattr(os, "rename", late)
    if second == "complete":
        manifest = store.write("fold_runs", NAME, RECORD, FILES, seconds=2.0)
    else:
        manifest = store.write_failure("fold_runs", NAME, RECORD, "ValueError: no")
    assert manifest == store.manifest("fold_runs", NAME)
    assert (manifest["status"], manifest["seconds"]) == ("complete", 1.0)
    assert store.read("fold_runs", NAME, "a.json") == b"[]"
    assert [path.name for path in store.folder("fold_runs", NAME).parent.iterdir()] == [NAME]


def test_half_a_result_of_a_killed_writer_is_replaced(store: ResultsStore) -> None:
    folder = store.folder("fold_runs", NAME)
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(b"half")
    left = folder.with_name(f"{NAME}.parts") / "of a killed writer"
    left.mkdir(parents=True)
    store.write("fold_runs", NAME, RECORD, FILES)
    assert store.read("fold_runs", NAME, "a.json") == b"{}"
    assert [path.name for path in folder.parent.iterdir()] == [NAME]


def test_of_many_writers_at_once_one_whole_result_stays(store: ResultsStore) -> None:
    """Each with bytes of its own, as GPUs compute them, and every third one failing."""
    start = threading.Barrier(12)

    def write(number: int) -> dict[str, Any]:
        own = ResultsStore(store.root)
        start.wait()
        if number % 3 == 0:
            return own.write_failure("fold_runs", NAME, RECORD, f"ValueError: {number}")
        return own.write("fold_runs", NAME, RECORD, {"a.json": b"%d" % number, "b.bin": b"%d" % number})

    with ThreadPoolExecutor(12) as pool:
        returned = list(pool.map(write, range(12)))
    manifest = store.manifest("fold_runs", NAME)
    assert manifest is not None
    assert manifest["status"] == "complete"
    assert store.read("fold_runs", NAME, "a.json") == store.read("fold_runs", NAME, "b.bin")
    assert all(one == manifest for one in returned if one["status"] == "complete")
    assert [path.name for path in store.folder("fold_runs", NAME).parent.iterdir()] == [NAME]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"3", b"null", b"{}", b"\xff\xfe", b'{"hash": NaN, "a": NaN}', b"[" * 100_000,
     b'{"hash": 1, "a": ' + b"9" * 5000 + b"}", b'{"hash": 1, "a":' + b"[" * 900 + b"]" * 900 + b"}"],
)  # fmt: skip
def test_a_damaged_manifest_is_named(store: ResultsStore, content: bytes) -> None:
    store.write("fold_runs", NAME, RECORD, FILES)
    (store.folder("fold_runs", NAME) / "manifest.json").write_bytes(content)
    with pytest.raises(UserError, match=r"manifest\.json (is not a valid|was changed).*remove its folder"):
        store.is_complete("fold_runs", NAME)


@pytest.mark.parametrize("name", ["manifest.json", "a.json"])
def test_what_is_no_regular_file_in_a_results_folder_is_named(store: ResultsStore, name: str) -> None:
    store.write("fold_runs", NAME, RECORD, FILES)
    path = store.folder("fold_runs", NAME) / name
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=f"{name} is a named pipe"):
        store.read("fold_runs", NAME, "a.json")


def test_a_name_too_long_for_a_folder_is_refused(store: ResultsStore) -> None:
    assert store.experiment_folder("a" * 200).name == "a" * 200
    with pytest.raises(UserError, match=r"at most 200 characters, but got 256 \(aaaa.*pass a shorter --name"):
        store.experiment_folder("a" * 256)


def test_experiments_that_cannot_be_listed_are_not_taken_for_none(store: ResultsStore) -> None:
    store.root.mkdir()
    (store.root / "experiments").write_text("x")
    with pytest.raises(UserError, match=r"cannot list the experiments in .*: Not a directory"):
        store.experiments()


def test_a_removed_result_is_missing_and_can_be_stored_again(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    for _ in range(2):
        store.write("fold_runs", "a" * 24, {}, {"file": b"x"})
        store.remove("fold_runs", "a" * 24)
        assert store.manifest("fold_runs", "a" * 24) is None
        assert list((tmp_path / "fold_runs").iterdir()) == []
    store.remove("fold_runs", "a" * 24)


def test_a_removal_killed_in_between_leaves_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(self: LocalStorage, source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    store = ResultsStore(tmp_path)
    store.write("fold_runs", "a" * 24, {}, {"file": b"x"})
    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "move", kill)
        with pytest.raises(KeyboardInterrupt):
            store.remove("fold_runs", "a" * 24)
    assert store.manifest("fold_runs", "a" * 24) is None
    store.write("fold_runs", "a" * 24, {}, {"file": b"y"})
    assert store.read("fold_runs", "a" * 24, "file") == b"y"
