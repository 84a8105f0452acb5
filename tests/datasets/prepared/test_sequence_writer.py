"""Writing the layer `sequences`: whole or not at all, the same bytes every time, bad frames accounted for."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from datasets.prepared import face_chunks, store_files
from datasets.prepared.face_chunks import FrameSource, Recipe
from datasets.prepared.sequence_writer import write_sequences
from datasets.prepared.store import PreparedStore, store_folder
from datasets.raw.choices import BadItems
from datasets.records import FrameRecord
from platform.errors import UserError
from tests.datasets.prepared.layered_store import files_of, images_of
from tests.datasets.prepared.small_store import SIZE, read_frame, record, write_records

FRAMES = [
    record("S001", 1, "neutral"),
    *(record("S001", number, "anger", role="context") for number in (2, 3)),
    *(record("S001", number) for number in (4, 5)),
    record("S002", 1, "neutral"),
    *(record("S002", number, "surprise") for number in (9, 10)),
]
"""Two whole sequences, of 5 and 3 frames."""


@pytest.fixture
def store(tmp_path: Path) -> PreparedStore:
    return write_records(store_folder(tmp_path, "ckplus", SIZE))


def write(
    store: PreparedStore,
    records: list[FrameRecord] = FRAMES,
    read=read_frame,  # type: ignore[no-untyped-def]
    *,
    skip: bool = False,
    aligned: bool = False,
) -> None:
    recipe = Recipe(size_pixels=SIZE, aligned=aligned)
    bad = BadItems(skip=skip)
    write_sequences(store, records, FrameSource(read_frame=read), recipe, bad=bad)


def manifest(store: PreparedStore) -> dict[str, object]:
    found: dict[str, object] = json.loads((store.folder / "layers/sequences/manifest.json").read_text())
    return found


def test_writing_twice_gives_the_same_bytes_and_an_equal_layer_stays(
    store: PreparedStore, tmp_path: Path
) -> None:
    write(store)
    other = write_records(store_folder(tmp_path / "elsewhere", "ckplus", SIZE))
    write(other, FRAMES[::-1])
    first = files_of(store.folder / "layers")
    assert files_of(other.folder / "layers") == first
    inode = (store.folder / "layers/sequences/frames.npy").stat().st_ino
    write(store)
    assert (store.folder / "layers/sequences/frames.npy").stat().st_ino == inode


def test_the_images_stay_as_they_are(store: PreparedStore) -> None:
    before = images_of(store)
    write(store)
    assert images_of(store) == before
    assert PreparedStore.open(store.folder).hash == store.hash


def with_a_bad_frame(one: FrameRecord) -> np.ndarray:
    """As read_frame; one is bad."""
    if one.image_name == "S001_001_00000002":
        raise UserError("2.png is not a readable image")
    return read_frame(one)


def test_a_sequence_with_a_bad_frame_is_left_out_whole_and_listed(store: PreparedStore) -> None:
    with pytest.raises(UserError, match=r"2\.png is not"):
        write(store, read=with_a_bad_frame)
    assert not (store.folder / "layers").exists()
    write(store, read=with_a_bad_frame, skip=True)
    layer = store.layer("sequences")
    assert layer.names.tolist() == ["S002_001"]
    assert layer.frame_numbers.tolist() == [1, 9, 10]
    np.testing.assert_array_equal(layer.read(0), store.images[3:])
    left_out = [["S001_001", "S001/2.png: 2.png is not a readable image"]]
    assert manifest(store)["left_out"] == left_out


def test_a_layer_of_which_nothing_is_left_is_refused(store: PreparedStore) -> None:
    with pytest.raises(UserError, match="none of the 1 labelled sequences can be used"):
        write(store, FRAMES[:5], with_a_bad_frame, skip=True)
    assert not (store.folder / "layers").exists()


def test_frames_without_landmarks_are_aligned_by_their_neighbours_and_counted(store: PreparedStore) -> None:
    without = [record("S001", 2, "anger", role="context", landmarks=None), *FRAMES[:1], *FRAMES[2:]]
    write(store, without)
    assert manifest(store)["alignments"] == {"interpolated": 1, "own": 7}
    assert store.layer("sequences").alignments.tolist()[:3] == ["own", "interpolated", "own"]


def test_a_sequence_without_landmarks_stops_the_run_or_is_left_out(store: PreparedStore) -> None:
    blind = [record("S001", number, landmarks=None) for number in (4, 5)]
    with pytest.raises(UserError, match="no frame of the sequence S001_001 has landmarks"):
        write(store, [*blind, *FRAMES[5:]])
    write(store, [*blind, *FRAMES[5:]], skip=True)
    assert store.layer("sequences").names.tolist() == ["S002_001"]


def test_a_single_frame_is_no_sequence(store: PreparedStore) -> None:
    with pytest.raises(UserError, match=r"2 frames or more, but 1 of 2 have one, .*S001_001.*--skip-bad"):
        write(store, [FRAMES[3], *FRAMES[5:]])
    write(store, [FRAMES[3], *FRAMES[5:]], skip=True)
    assert manifest(store)["left_out"] == [["S001_001", "the sequence has one frame"]]


def test_a_sequence_has_one_class(store: PreparedStore) -> None:
    mixed = [record("S001", 4), record("S001", 5, "fear")]
    with pytest.raises(UserError, match="S001_001 has images of anger and fear"):
        write(store, mixed)


def test_face_crops_are_scaled_and_need_no_landmarks(store: PreparedStore) -> None:
    crops = [record("S001", number, landmarks=None) for number in (4, 5)]
    image = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    write(store, crops, lambda one: image, aligned=True)
    np.testing.assert_array_equal(store.layer("sequences").read(0), [image, image])
    assert manifest(store)["alignments"] == {"crop": 2}


SLOW_WRITER = """
import sys, time
from pathlib import Path
from datasets.prepared import face_chunks
from datasets.prepared.store import PreparedStore
from tests.datasets.prepared.small_store import read_frame
from tests.datasets.prepared.test_sequence_writer import write
face_chunks.CHUNK_IMAGES = 2
def slow(one):
    if one.image_name == "S001_001_00000005":
        print("half-way", flush=True)
        time.sleep(60)
    return read_frame(one)
write(PreparedStore.open(Path(sys.argv[1])), read=slow)
"""


def test_a_killed_run_goes_on_where_it_stopped_and_ends_the_same(
    store: PreparedStore, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_chunks, "CHUNK_IMAGES", 2)
    killed = write_records(store_folder(tmp_path / "killed", "ckplus", SIZE))
    command = [sys.executable, "-c", SLOW_WRITER, str(killed.folder)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half-way\n"
        writer.send_signal(signal.SIGKILL)
    assert PreparedStore.open(killed.folder).hash == store.hash
    assert (killed.folder / "layers/.sequences.partial/frames.npy").exists()
    read: list[str] = []

    def remembering(one: FrameRecord) -> np.ndarray:
        read.append(one.image_name)
        return read_frame(one)

    write(killed, read=remembering)
    assert read[0] == "S001_001_00000005"
    assert len(read) == 4
    write(store)
    assert files_of(killed.folder / "layers") == files_of(store.folder / "layers")
    assert os.listdir(killed.folder.parent) == [killed.folder.name]


def test_a_full_disk_is_one_message_and_leaves_the_set_as_it_was(
    store: PreparedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_of(store.folder)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(UserError, match=r"cannot write the layer .*No space left .*set is unchanged"):
            write(store)
    assert files_of(store.folder) == before
    assert os.listdir(store.folder.parent) == [store.folder.name]
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(store_files.shutil, "disk_usage", lambda path: usage(free=1000))
    with pytest.raises(UserError, match=r"need 13,824 bytes .* but 1,000 are free"):
        write(store)
    assert files_of(store.folder) == before
