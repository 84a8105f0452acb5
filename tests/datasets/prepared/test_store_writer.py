"""Writing a prepared store: whole or not at all, the same bytes every time, bad frames named."""

from __future__ import annotations

import errno
import os
from collections import namedtuple
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from datasets.prepared import face_chunks, store_files
from datasets.prepared.face_chunks import FrameSource, Recipe
from datasets.prepared.store import PreparedStore, store_folder
from datasets.prepared.store_writer import write_prepared
from datasets.raw.choices import BadItems
from datasets.records import FrameRecord
from platform.errors import UserError
from tests.datasets.prepared.small_store import RECORDS, SIZE, contents, read_frame, record, write_records
from tests.raw_trees import face_points
from tests.written_stores import write_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return store_folder(tmp_path, "ckplus", SIZE)


@pytest.fixture
def store(folder: Path) -> PreparedStore:
    return write_records(folder)


def test_writing_twice_gives_the_same_bytes(store: PreparedStore, tmp_path: Path) -> None:
    other = store_folder(tmp_path / "elsewhere", "ckplus", SIZE)
    write_records(other, RECORDS[::-1])
    assert contents(other) == contents(store.folder)


def test_an_equal_store_stays_untouched_and_a_different_one_is_replaced(store: PreparedStore) -> None:
    inode = (store.folder / "images.npy").stat().st_ino
    again = write_records(store.folder)
    assert ((store.folder / "images.npy").stat().st_ino, again.hash) == (inode, store.hash)
    kept = store.images.copy()
    other = write_store(store.folder, "ckplus", SIZE, RECORDS[:4], read_frame)
    assert len(other.images) == 4
    assert other.hash != store.hash
    np.testing.assert_array_equal(store.images, kept)  # whoever had the old one open goes on reading it
    assert [path.name for path in store.folder.parent.iterdir()] == [store.folder.name]


def test_the_hash_names_the_content(store: PreparedStore, tmp_path: Path) -> None:
    def brighter(one: FrameRecord) -> np.ndarray:
        return read_frame(one) + 1

    changed = write_store(tmp_path / "changed", "ckplus", SIZE, RECORDS, brighter)
    relabelled = [*RECORDS[:1], record("S001", 5, "fear"), *RECORDS[2:]]
    other = write_store(tmp_path / "relabelled", "ckplus", SIZE, relabelled, read_frame)
    assert len({store.hash, changed.hash, other.hash}) == 3


def test_progress_is_told_of_every_chunk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_chunks, "CHUNK_IMAGES", 4)
    seen: list[tuple[int, int]] = []
    source, recipe = FrameSource(read_frame=read_frame), Recipe(size_pixels=SIZE)
    write_prepared(
        folder, "ckplus", RECORDS, source, recipe, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(4, 6), (6, 6)]


def frame_of_own_process(one: FrameRecord) -> np.ndarray:
    """As read_frame; one is bad. At the module's level, so that another process finds it."""
    if one.image_name == "S001_001_00000004":
        raise UserError("4.png is not a readable image")
    return read_frame(one)


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_frames_are_left_out_and_listed_whatever_the_number_of_processes(
    folder: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_chunks, "CHUNK_IMAGES", 2)
    source, recipe = FrameSource(read_frame=frame_of_own_process), Recipe(size_pixels=SIZE)
    with pytest.raises(UserError, match=r"4\.png is not"):
        write_prepared(folder, "ckplus", RECORDS, source, recipe, workers=workers)
    assert list(folder.parent.iterdir()) == []
    bad = BadItems(skip=True)
    store = write_prepared(folder, "ckplus", RECORDS, source, recipe, bad=bad, workers=workers)
    PreparedStore.open(store.folder)
    assert store.image_names.tolist() == [
        "S001_001_00000001", "S001_001_00000005", "S002_001_00000001", "S002_001_00000009",
        "S002_001_00000010",
    ]  # fmt: skip
    left_out = [["S001/4.png", "4.png is not a readable image"]]
    assert store_files.read_manifest(folder)["left_out"] == left_out
    whole = write_store(folder.with_name("whole"), "ckplus", SIZE, RECORDS, read_frame)
    np.testing.assert_array_equal(store.images, whole.images[[0, 2, 3, 4, 5]])


def test_a_store_of_which_nothing_is_left_is_refused(folder: Path) -> None:
    source = FrameSource(read_frame=frame_of_own_process)
    with pytest.raises(UserError, match="none of the 1 frames can be used"):
        write_prepared(
            folder, "ckplus", RECORDS[3:4], source, Recipe(size_pixels=SIZE), bad=BadItems(skip=True)
        )
    assert list(folder.parent.iterdir()) == []


def test_a_frame_wanted_twice_is_refused(folder: Path) -> None:
    twice = [*RECORDS, record("S001", 4, "neutral")]
    with pytest.raises(UserError, match="duplicate frame S001_001_00000004"):
        write_store(folder, "ckplus", SIZE, twice, read_frame)
    assert not folder.parent.exists()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"landmarks": None}, "1 of 2 frames have no landmarks, the first being S009_001_00000003"),
        ({"landmarks": face_points(0) + 500}, "leave its frame of 160×140 pixels"),
        ({"landmarks": np.full((5, 2), 50.0)}, "no face's: all points coincide"),
        ({"landmarks": face_points(0)[[1, 0, 2, 4, 3]]}, "no frontal face's"),
        ({"expression": "joy"}, "shows 'joy', but expressions are anger,"),
    ],
)
def test_records_that_cannot_be_right_are_refused(
    folder: Path, changes: dict[str, object], fault: str
) -> None:
    with pytest.raises(UserError, match=fault):
        write_store(folder, "ckplus", SIZE, [RECORDS[0], record("S009", 3, **changes)], read_frame)
    assert not folder.exists()


def test_an_error_half_way_leaves_the_old_store_and_nothing_else(store: PreparedStore) -> None:
    def broken(one: FrameRecord) -> np.ndarray:
        if one.frame == 9:
            raise UserError("9.png is not a readable image")
        return read_frame(one)

    before = contents(store.folder)
    with pytest.raises(UserError, match=r"9\.png"):
        write_store(store.folder, "ckplus", SIZE, RECORDS, broken)
    assert contents(store.folder) == before
    assert [path.name for path in store.folder.parent.iterdir()] == [store.folder.name]


def test_a_full_disk_is_one_message_and_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"cannot write the store .*No space left on device"):
        write_store(folder, "ckplus", SIZE, RECORDS, read_frame)
    assert list(folder.parent.iterdir()) == []


def test_too_little_space_is_said_before_work_begins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(store_files.shutil, "disk_usage", lambda path: usage(free=1000))
    with pytest.raises(UserError, match=r"need 10,368 bytes .* but 1,000 are free"):
        write_store(folder, "ckplus", SIZE, RECORDS, read_frame)


def test_a_target_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "prepared").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="cannot write the store"):
        write_store(store_folder(tmp_path, "ckplus", SIZE), "ckplus", SIZE, RECORDS, read_frame)


def test_a_folder_of_somebody_elses_is_not_replaced(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "thesis.tex").touch()
    with pytest.raises(UserError, match=r"thesis\.tex, which is not part of a store"):
        write_store(folder, "ckplus", SIZE, RECORDS, read_frame)
    assert (folder / "thesis.tex").exists()


def test_what_a_partial_store_left_is_replaced(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "images.npy").write_bytes(b"half")
    with pytest.raises(UserError, match=r"incomplete \(no manifest\.json\)"):
        PreparedStore.open(folder)
    assert len(write_store(folder, "ckplus", SIZE, RECORDS, read_frame).images) == 6


def test_face_crops_need_no_landmarks(folder: Path) -> None:
    crop = record("S001", 4, landmarks=None)
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    store = write_store(folder, "ckplus", SIZE, [crop], lambda one: image, aligned=True)
    np.testing.assert_array_equal(store.images[0], image)
    row = pyarrow.parquet.read_table(folder / "index.parquet").to_pylist()[0]
    assert (row["landmarks"], row["transform"]) == (None, [1, 0, 0, 0, 1, 0])


def test_no_images_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="at least one image"):
        write_store(folder, "ckplus", SIZE, [], read_frame)


def test_faces_without_any_expression_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="must show an expression, but none of the 2 does"):
        write_store(folder, "ckplus", SIZE, [RECORDS[2], RECORDS[4]], read_frame)
    assert list(folder.parent.iterdir()) == []
