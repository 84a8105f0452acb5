"""Writing a prepared store is killed, or two write at once: what stands is kept, the end is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from datasets.prepared import face_chunks, store_files
from datasets.prepared.face_chunks import FrameSource, Recipe
from datasets.prepared.store import PreparedStore, store_folder
from datasets.prepared.store_writer import write_prepared
from datasets.records import FrameRecord
from platform.errors import UserError
from tests.datasets.prepared.small_store import RECORDS, SIZE, contents, read_frame, write_records
from tests.written_stores import write_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return store_folder(tmp_path, "ckplus", SIZE)


@pytest.fixture
def store(folder: Path) -> PreparedStore:
    return write_records(folder)


SLOW_WRITER = """
import sys, time
from pathlib import Path
from datasets.prepared import face_chunks
from tests.datasets.prepared.small_store import read_frame, write_records
face_chunks.CHUNK_IMAGES = 2
def slow(one):
    if one.image_name == "S002_001_00000009":
        print("half-way", flush=True)
        time.sleep(60)
    return read_frame(one)
write_records(Path(sys.argv[1]), read=slow)
"""


@pytest.fixture
def killed(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a store whose writer was killed after two of three chunks."""
    monkeypatch.setattr(face_chunks, "CHUNK_IMAGES", 2)
    folder = store_folder(tmp_path / "killed", "ckplus", SIZE)
    command = [sys.executable, "-c", SLOW_WRITER, str(folder)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half-way\n"
        writer.send_signal(signal.SIGKILL)
    assert not folder.exists()
    assert (folder.parent / f".{folder.name}.partial" / "images.npy").exists()
    return folder


def resumed(folder: Path) -> list[str]:
    """Write the killed store again; the images that were read for it."""
    read: list[str] = []

    def remembering(one: FrameRecord) -> np.ndarray:
        read.append(one.image_name)
        return read_frame(one)

    write_records(folder, read=remembering)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    return read


def test_a_killed_run_goes_on_where_it_stopped_and_ends_the_same(store: PreparedStore, killed: Path) -> None:
    assert resumed(killed) == ["S002_001_00000009", "S002_001_00000010"]
    assert contents(killed) == contents(store.folder)


def test_a_chunk_whose_images_were_damaged_is_written_again(store: PreparedStore, killed: Path) -> None:
    path = killed.parent / f".{killed.name}.partial" / "images.npy"
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    assert len(resumed(killed)) == 4
    assert contents(killed) == contents(store.folder)


def test_a_journal_line_that_the_kill_cut_short_counts_for_nothing(
    store: PreparedStore, killed: Path
) -> None:
    path = killed.parent / f".{killed.name}.partial" / "journal.jsonl"
    path.write_text(path.read_text()[:-20])
    assert len(resumed(killed)) == 4
    assert contents(killed) == contents(store.folder)


def test_a_journal_that_a_power_cut_filled_with_zeros_counts_for_nothing(
    store: PreparedStore, killed: Path
) -> None:
    path = killed.parent / f".{killed.name}.partial" / "journal.jsonl"
    key, *lines = path.read_text().splitlines()
    path.write_text("\n".join([key, lines[0], "\0" * len(lines[1]), ""]))
    assert len(resumed(killed)) == 4
    assert contents(killed) == contents(store.folder)


def test_a_journal_line_of_which_a_digit_changed_counts_for_nothing(
    store: PreparedStore, killed: Path
) -> None:
    path = killed.parent / f".{killed.name}.partial" / "journal.jsonl"
    key, first, *lines = path.read_text().splitlines(keepends=True)
    place = first.index('"transform":[') + len('"transform":[')
    path.write_text("".join([key, first[:place] + "9" + first[place + 1 :], *lines]))
    assert len(resumed(killed)) == 4
    assert contents(killed) == contents(store.folder)


def test_other_records_start_afresh(killed: Path) -> None:
    assert len(write_store(killed, "ckplus", SIZE, RECORDS[:4], read_frame).images) == 4


def test_a_source_that_changed_meanwhile_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_chunks, "CHUNK_IMAGES", 2)
    stamps = {one.image_name: 1 for one in RECORDS}

    def write(read: list[str], stop_at: str = "") -> None:
        def remembering(one: FrameRecord) -> np.ndarray:
            if one.image_name == stop_at:
                raise KeyboardInterrupt
            read.append(one.image_name)
            return read_frame(one)

        source = FrameSource(read_frame=remembering, stamp=lambda one: [stamps[one.image_name]])
        write_prepared(folder, "ckplus", RECORDS, source, Recipe(size_pixels=SIZE))

    with pytest.raises(KeyboardInterrupt):
        write([], stop_at="S002_001_00000009")
    stamps["S001_001_00000004"] = 2
    read: list[str] = []
    write(read)
    assert read[:2] == ["S001_001_00000001", "S001_001_00000004"]
    assert len(read) == 4


WAITING_WRITER = """
import sys
from pathlib import Path
from datasets.prepared.store_files import sole_writer
print("asking", flush=True)
with sole_writer(Path(sys.argv[1])) as mine:
    print(sorted(path.name for path in mine.iterdir()), flush=True)
"""


def test_a_second_writer_waits_for_the_first(folder: Path, root: Path) -> None:
    command = [sys.executable, "-c", WAITING_WRITER, str(folder)]
    with store_files.sole_writer(folder) as partial:
        (partial / "first").touch()
        second = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True)
        assert second.stdout is not None
        assert second.stdout.readline() == "asking\n"
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(timeout=0.3)
    with second:
        assert second.stdout.readline() == "[]\n"  # alone now, in an empty folder
    assert second.returncode == 0
    assert list(folder.parent.iterdir()) == []


def test_what_a_kill_left_of_the_preview_does_not_stop_the_next_run(store: PreparedStore) -> None:
    (store.folder / f".{store_files.PREVIEW}.0123456789ab.partial").write_bytes(b"half")
    write_store(store.folder, "ckplus", SIZE, RECORDS, read_frame)


def killed_process(one: FrameRecord) -> np.ndarray:
    """As the kernel kills a process when memory runs out. At the module's level, for another process."""
    os.kill(os.getpid(), signal.SIGKILL)
    return read_frame(one)


def test_a_killed_process_of_the_preparation_is_one_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face_chunks, "CHUNK_IMAGES", 2)
    source = FrameSource(read_frame=killed_process)
    with pytest.raises(UserError, match=r"was killed, possibly for lack of memory; .* --workers 1"):
        write_prepared(folder, "ckplus", RECORDS, source, Recipe(size_pixels=SIZE), workers=2)
    assert list(folder.parent.iterdir()) == []
