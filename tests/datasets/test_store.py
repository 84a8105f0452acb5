"""The prepared store: whole or absent, the same bytes every time, honest about damage."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from datasets import store_files, store_writer
from datasets.alignment import template_points, transform_points
from datasets.choices import BadItems
from datasets.records import FrameRecord
from datasets.store import PreparedStore, open_prepared, prepare_command, store_folder
from datasets.store_writer import FrameSource, Recipe, write_prepared, write_store
from platform.errors import UserError
from tests.raw_trees import draw_face, face_points

SIZE = 24


def record(subject: str, frame: int, expression: str = "anger", **changes: object) -> FrameRecord:
    fields: dict[str, object] = {
        "subject_id": subject, "sequence_id": f"{subject}_001", "frame": frame, "expression": expression,
        "role": "neutral" if expression == "neutral" else "expressive",
        "source": f"{subject}/{frame}.png", "landmarks": face_points(frame / 2),
    }  # fmt: skip
    return FrameRecord(**(fields | changes))  # type: ignore[arg-type]


def read_frame(one: FrameRecord) -> np.ndarray:
    gray = draw_face(face_points(one.frame / 2), mouth=1 + 2 * one.frame)
    return np.repeat(gray[..., None], 3, axis=2)


RECORDS = [
    record("S002", 9, "surprise"),
    record("S001", 5),
    record("S001", 1, "neutral"),
    record("S001", 4),
    record("S002", 1, "neutral"),
    record("S002", 10, "surprise"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return store_folder(tmp_path, "ckplus", SIZE)


@pytest.fixture
def store(folder: Path) -> PreparedStore:
    return write_store(
        folder, "ckplus", SIZE, RECORDS, read_frame, source_sha256=lambda one: f"hash of {one.source}"
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rows_are_sorted_and_read_back(store: PreparedStore) -> None:
    assert store.image_names.tolist() == [
        "S001_001_00000001", "S001_001_00000004", "S001_001_00000005",
        "S002_001_00000001", "S002_001_00000009", "S002_001_00000010",
    ]  # fmt: skip
    assert store.subjects.tolist() == ["S001"] * 3 + ["S002"] * 3
    assert store.sequences.tolist() == ["S001_001"] * 3 + ["S002_001"] * 3
    assert store.frames.tolist() == [1, 4, 5, 1, 9, 10]
    assert store.frames.dtype == np.int64
    assert store.expressions.tolist() == ["neutral", "anger", "anger", "neutral", "surprise", "surprise"]
    assert store.roles.tolist() == ["neutral", "expressive", "expressive"] * 2
    assert store.class_names == ("anger", "surprise")
    assert (store.dataset, store.size_pixels) == ("ckplus", SIZE)
    assert store.images.shape == (6, SIZE, SIZE, 3)
    assert store.images.dtype == np.uint8


def test_images_are_memory_mapped_and_no_reader_changes_them(store: PreparedStore) -> None:
    assert isinstance(store.images, np.memmap)
    before = contents(store.folder)
    store.images[:] = 0
    store.images.flush()
    assert contents(store.folder) == before


def test_the_index_leads_back_to_the_source(store: PreparedStore) -> None:
    rows = pyarrow.parquet.read_table(store.folder / "index.parquet").to_pylist()
    assert [row["source"] for row in rows][:2] == ["S001/1.png", "S001/4.png"]
    assert rows[0]["source_sha256"] == "hash of S001/1.png"
    points = np.array(rows[4]["landmarks"]).reshape(5, 2)
    np.testing.assert_array_equal(points, face_points(4.5))
    aligned = transform_points(np.array(rows[4]["transform"]).reshape(2, 3), points)
    assert np.abs(aligned - template_points(SIZE)).max() < 0.1 * SIZE


def test_writing_twice_gives_the_same_bytes(store: PreparedStore, tmp_path: Path) -> None:
    other = store_folder(tmp_path / "elsewhere", "ckplus", SIZE)
    write_store(
        other, "ckplus", SIZE, RECORDS[::-1], read_frame, source_sha256=lambda one: f"hash of {one.source}"
    )
    assert contents(other) == contents(store.folder)


def test_an_equal_store_stays_untouched_and_a_different_one_is_replaced(store: PreparedStore) -> None:
    inode = (store.folder / "images.npy").stat().st_ino
    again = write_store(
        store.folder, "ckplus", SIZE, RECORDS, read_frame, source_sha256=lambda one: f"hash of {one.source}"
    )
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
    monkeypatch.setattr(store_writer, "CHUNK_IMAGES", 4)
    seen: list[tuple[int, int]] = []
    write_store(
        folder, "ckplus", SIZE, RECORDS, read_frame, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(4, 6), (6, 6)]


SLOW_WRITER = """
import sys, time
from pathlib import Path
from datasets import store_writer
from tests.datasets.test_store import RECORDS, SIZE, read_frame, write_store
store_writer.CHUNK_IMAGES = 2
def slow(one):
    if one.image_name == "S002_001_00000009":
        print("half-way", flush=True)
        time.sleep(60)
    return read_frame(one)
hashed = lambda one: f"hash of {one.source}"
write_store(Path(sys.argv[1]), "ckplus", SIZE, RECORDS, slow, source_sha256=hashed)
"""


@pytest.fixture
def killed(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a store whose writer was killed after two of three chunks."""
    monkeypatch.setattr(store_writer, "CHUNK_IMAGES", 2)
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

    write_store(
        folder, "ckplus", SIZE, RECORDS, remembering, source_sha256=lambda one: f"hash of {one.source}"
    )
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


def test_other_records_start_afresh(killed: Path) -> None:
    assert len(write_store(killed, "ckplus", SIZE, RECORDS[:4], read_frame).images) == 4


def test_a_source_that_changed_meanwhile_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_writer, "CHUNK_IMAGES", 2)
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


def frame_of_own_process(one: FrameRecord) -> np.ndarray:
    """As read_frame; one is bad. At the module's level, so that another process finds it."""
    if one.image_name == "S001_001_00000004":
        raise UserError("4.png is not a readable image")
    return read_frame(one)


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_frames_are_left_out_and_listed_whatever_the_number_of_processes(
    folder: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_writer, "CHUNK_IMAGES", 2)
    source, recipe = FrameSource(read_frame=frame_of_own_process), Recipe(size_pixels=SIZE)
    with pytest.raises(UserError, match=r"4\.png is not"):
        write_prepared(folder, "ckplus", RECORDS, source, recipe, workers=workers)
    assert list(folder.parent.iterdir()) == []
    bad = BadItems(skip=True)
    store = write_prepared(folder, "ckplus", RECORDS, source, recipe, bad=bad, workers=workers)
    store.verify()
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


WAITING_WRITER = """
import sys
from pathlib import Path
from datasets.store_files import sole_writer
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


@pytest.mark.parametrize("name", ["images.npy", "index.parquet"])
@pytest.mark.parametrize("where", [0.3, 0.99])
def test_verify_names_a_damaged_file(store: PreparedStore, name: str, where: float) -> None:
    store.verify()
    path = store.folder / name
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        UserError, match=rf"{name} is not the file .*python -m platform.prepare --dataset ckplus --size 24"
    ):
        store.verify()


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def pickle_it(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([{}], dtype=object), allow_pickle=True)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [Path.unlink, shorten, lengthen, pickle_it, empty])
@pytest.mark.parametrize("name", ["images.npy", "index.parquet", "manifest.json"])
def test_opening_names_a_damaged_file(
    store: PreparedStore, name: str, damage: Callable[[Path], None]
) -> None:
    if (name, damage) == ("manifest.json", lengthen):
        (store.folder / name).write_text((store.folder / name).read_text().replace("ckplus", "mmi"))
    else:
        damage(store.folder / name)
    if (name, damage) == ("manifest.json", shorten):  # only the last line's end
        PreparedStore.open(store.folder).verify()
    else:
        with pytest.raises(UserError, match=name):
            PreparedStore.open(store.folder)


def test_another_recipe_version_is_refused(store: PreparedStore) -> None:
    path = store.folder / "manifest.json"
    manifest = json.loads(path.read_text()) | {"recipe_version": 99}
    manifest["hash"] = store_files.manifest_hash(manifest)
    path.write_text(json.dumps(manifest))
    with pytest.raises(
        UserError, match=f"recipe version 99, but this code reads {store_files.RECIPE_VERSION}"
    ):
        PreparedStore.open(store.folder)


def test_a_frame_wanted_twice_is_refused(folder: Path) -> None:
    twice = [*RECORDS, record("S001", 4, "neutral")]
    with pytest.raises(UserError, match="S001_001_00000004 is wanted twice"):
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
    with pytest.raises(UserError, match=r"thesis\.tex, which is no part of a store"):
        write_store(folder, "ckplus", SIZE, RECORDS, read_frame)
    assert (folder / "thesis.tex").exists()


def test_what_a_partial_store_left_is_replaced(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "images.npy").write_bytes(b"half")
    with pytest.raises(UserError, match=r"half-written \(no manifest\.json\)"):
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


def test_a_missing_licensed_store_says_who_gives_it_where_we_looked_and_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        open_prepared(tmp_path, "mmi", 320)
    message = str(caught.value)
    assert "mmifacedb.eu" in message
    assert str(tmp_path / "prepared" / "mmi-320") in message
    flags = f"--dataset mmi --source DIR --landmarks detect --data-root {tmp_path} --size 320"
    assert f"python -m platform.prepare {flags}" in message
    assert "\n" not in message


def test_the_default_data_root_needs_no_flag() -> None:
    command = prepare_command(Path("data"), "ckplus", 64)
    assert command == "python -m platform.prepare --dataset ckplus --source DIR --size 64"


def test_a_prepared_store_opens_by_name_and_an_unknown_name_is_refused(
    store: PreparedStore, tmp_path: Path
) -> None:
    assert open_prepared(tmp_path, "ckplus", SIZE).hash == store.hash
    with pytest.raises(UserError, match="unknown data set 'ckplu'; did you mean 'ckplus'"):
        open_prepared(tmp_path, "ckplu", SIZE)


def test_opening_imports_no_pandas(store: PreparedStore, root: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from datasets.store import PreparedStore; "
        "PreparedStore.open(Path(sys.argv[1])); print(sorted({'pandas', 'torch', 'ray'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, str(store.folder)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_faces_without_any_expression_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="none of the 2 frames shows an expression"):
        write_store(folder, "ckplus", SIZE, [RECORDS[2], RECORDS[4]], read_frame)
    assert list(folder.parent.iterdir()) == []


def test_a_journal_that_a_power_cut_filled_with_zeros_counts_for_nothing(
    store: PreparedStore, killed: Path
) -> None:
    path = killed.parent / f".{killed.name}.partial" / "journal.jsonl"
    key, *lines = path.read_text().splitlines()
    path.write_text("\n".join([key, lines[0], "\0" * len(lines[1]), ""]))
    assert len(resumed(killed)) == 4
    assert contents(killed) == contents(store.folder)


def test_what_a_kill_left_of_the_preview_does_not_stop_the_next_run(store: PreparedStore) -> None:
    (store.folder / store_files.PARTIAL_PREVIEW).write_bytes(b"half")
    write_store(store.folder, "ckplus", SIZE, RECORDS, read_frame)


def killed_process(one: FrameRecord) -> np.ndarray:
    """As the kernel ends a process for want of memory. At the module's level, for another process."""
    os.kill(os.getpid(), signal.SIGKILL)
    return read_frame(one)


def test_a_killed_process_of_the_preparation_is_one_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_writer, "CHUNK_IMAGES", 2)
    source = FrameSource(read_frame=killed_process)
    with pytest.raises(UserError, match=r"was killed, perhaps for want of memory; .* --workers 1"):
        write_prepared(folder, "ckplus", RECORDS, source, Recipe(size_pixels=SIZE), workers=2)
    assert list(folder.parent.iterdir()) == []
