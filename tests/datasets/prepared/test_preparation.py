"""From raw folders to stores, by the function that commands call."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from datasets.prepared.preparation import prepare_dataset
from datasets.prepared.store import open_prepared
from datasets.prepared.store_files import read_manifest
from platform.cli.prepare_report import summary_lines
from platform.errors import UserError
from platform.files.opening import file_sha256
from tests.raw_trees import write_ckplus, write_landmarks, write_mmi

SIZE = 32
SEQUENCES = {"S005_001": "disgust", "S010_002": "surprise", "S010_004": "anger"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return write_ckplus(tmp_path / "ckplus", SEQUENCES)


def test_ckplus_becomes_a_store_with_the_hashes_of_its_files(tree: Path, tmp_path: Path) -> None:
    store = prepare_dataset("ckplus", SIZE, data_root=tmp_path / "data", source=tree)
    assert store.class_names == ("anger", "disgust", "surprise")
    assert (len(store.images), int((store.roles == "neutral").sum())) == (11, 2)
    assert open_prepared(tmp_path / "data", "ckplus", SIZE).hash == store.hash
    row = pyarrow.parquet.read_table(store.folder / "index.parquet").to_pylist()[-1]
    assert row["source"] == "cohn-kanade-images/S010/004/S010_004_00000005.png"
    assert row["source_sha256"] == file_sha256(tree / row["source"])


def test_nothing_is_written_outside_the_stores_folder(tree: Path, tmp_path: Path) -> None:
    def listing() -> set[Path]:
        return {path for path in tmp_path.rglob("*") if tmp_path / "data" not in (path, *path.parents)}

    before = listing()
    store = prepare_dataset("ckplus", SIZE, data_root=tmp_path / "data", source=tree)
    assert listing() == before
    written = {path.relative_to(tmp_path / "data").as_posix() for path in (tmp_path / "data").rglob("*")}
    names = ("images.npy", "index.parquet", "manifest.json", "preview.png")
    assert written == {"prepared", "prepared/ckplus-32", *(f"prepared/ckplus-32/{name}" for name in names)}
    assert store.folder == tmp_path / "data/prepared/ckplus-32"


def test_mmi_is_prepared_by_a_csv_of_landmarks(tmp_path: Path) -> None:
    tree = write_mmi(tmp_path / "mmi", {"S053-100": 4, "S054-005": 1})
    with pytest.raises(UserError, match="8 of 8 frames have no landmarks"):
        prepare_dataset("mmi", SIZE, data_root=tmp_path, source=tree)
    frames = [
        f"{sequence}_{frame:03d}.png" for sequence in ("S053_100", "S054_005") for frame in (0, 3, 4, 5)
    ]
    points = write_landmarks(tmp_path / "points.csv", frames)
    store = prepare_dataset("mmi", SIZE, data_root=tmp_path, source=tree, landmarks=points)
    assert store.class_names == ("anger", "happiness")
    means = store.images.reshape(8, -1).mean(axis=1)
    np.testing.assert_allclose(means, [20, 80, 100, 120] * 2, atol=3)  # frame n is of one gray, 20 n


def test_frames_of_which_the_landmark_file_has_several_faces_are_in_the_manifest(tmp_path: Path) -> None:
    tree = write_mmi(tmp_path / "mmi", {"S053-100": 4, "S054-005": 1})
    wanted = [f"{clip}_{frame:03d}.png" for clip in ("S053_100", "S054_005") for frame in (0, 3, 4, 5)]
    path = write_landmarks(tmp_path / "points.csv", [*wanted, "S053_100_007.png"])
    header, *lines = path.read_text().splitlines()
    crowded = ("S053_100_007", "S054_005_004", "S053_100_003")  # the first is not wanted
    lines = [f"{line},{3 if line.startswith(crowded) else 1}" for line in lines]
    path.write_text("\n".join([f"{header},faces_found", *lines]) + "\n")
    store = prepare_dataset("mmi", SIZE, data_root=tmp_path / "data", source=tree, landmarks=path)
    names = read_manifest(store.folder)["several_faces"]
    assert names == ["S053_100_00000003", "S054_005_00000004"]
    lines = summary_lines(store, "MMI")
    (line,) = [line for line in lines if line.startswith("check:      2 frames have several faces")]
    assert lines[lines.index(line) + 1 :][:2] == [f"  {name}" for name in names]


def test_a_csv_goes_before_the_data_sets_own_landmarks(tree: Path, tmp_path: Path) -> None:
    own = prepare_dataset("ckplus", SIZE, data_root=tmp_path / "own", source=tree)
    points = write_landmarks(tmp_path / "points.csv", own.image_names.tolist())
    given = prepare_dataset("ckplus", SIZE, data_root=tmp_path / "given", source=tree, landmarks=points)
    landmarks = pyarrow.parquet.read_table(given.folder / "index.parquet")["landmarks"].to_pylist()
    assert landmarks == [landmarks[0]] * 11
    assert landmarks[0][:2] == [60.0, 50.0]


def test_crops_are_scaled_and_need_no_landmarks(tree: Path, tmp_path: Path) -> None:
    store = prepare_dataset("ckplus", 140, data_root=tmp_path, source=tree, aligned=True)
    source = np.array(Image.open(tree / "cohn-kanade-images/S010/004/S010_004_00000005.png"))
    np.testing.assert_array_equal(store.images[-1, ..., 0], source[:, 10:150])


def test_a_missing_source_says_where_to_ask_and_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"needs --source DIR.*Sessions/<id>/S001-100\.avi.*mmifacedb\.eu.*--size 48"
    ):
        prepare_dataset("mmi", 48, data_root=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [0, 15, 4096])
def test_sizes_out_of_range_are_refused(tree: Path, tmp_path: Path, size: int) -> None:
    with pytest.raises(UserError, match=f"16 to 2048 pixels, but got {size}"):
        prepare_dataset("ckplus", size, data_root=tmp_path, source=tree)


def test_landmarks_of_crops_are_refused(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--aligned uses no landmarks"):
        prepare_dataset("ckplus", SIZE, data_root=tmp_path, source=tree, landmarks=tree, aligned=True)


def test_a_frame_that_links_out_of_the_copy_is_refused(tree: Path, tmp_path: Path) -> None:
    frame = tree / "cohn-kanade-images/S010/004/S010_004_00000005.png"
    frame.rename(tmp_path / "outside.png")
    frame.symlink_to(tmp_path / "outside.png")
    with pytest.raises(UserError, match=r"S010_004_00000005\.png leaves the data set's folder"):
        prepare_dataset("ckplus", SIZE, data_root=tmp_path / "data", source=tree)
    assert list((tmp_path / "data").rglob("*.npy")) == []


def test_a_damaged_frame_is_named_and_no_store_is_left(tree: Path, tmp_path: Path) -> None:
    frame = tree / "cohn-kanade-images/S010/004/S010_004_00000005.png"
    frame.write_bytes(frame.read_bytes()[:200])
    with pytest.raises(UserError, match=r"S010_004_00000005\.png is not a readable image"):
        prepare_dataset("ckplus", SIZE, data_root=tmp_path / "data", source=tree)
    assert list((tmp_path / "data/prepared").iterdir()) == []


def test_a_frame_that_links_out_of_the_copy_is_left_out_without_saying_where_the_copy_lies(
    tree: Path, tmp_path: Path
) -> None:
    frame = tree / "cohn-kanade-images/S010/004/S010_004_00000005.png"
    frame.rename(tmp_path / "outside.png")
    frame.symlink_to(tmp_path / "outside.png")
    store = prepare_dataset("ckplus", SIZE, data_root=tmp_path / "data", source=tree, skip_bad=True)
    assert len(store.images) == 10
    text = (store.folder / "manifest.json").read_text()
    assert "S010_004_00000005.png leaves the data set's folder" in text
    assert str(tmp_path) not in text


def test_an_embedded_set_that_cannot_be_drawn_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(
        UserError, match=r"cannot write .* to .*data/raw/synthetic: Not a directory; .*data-root"
    ):
        prepare_dataset("synthetic", SIZE, data_root=tmp_path / "data")


def test_a_disk_that_fills_up_at_the_preview_leaves_a_whole_store(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Image.Image, "save", full)
        with pytest.raises(
            UserError, match=r"ckplus-32 is complete, but its preview\.png cannot be written: No"
        ):
            prepare_dataset("ckplus", SIZE, data_root=tmp_path / "data", source=tree)
    assert len(open_prepared(tmp_path / "data", "ckplus", SIZE).images) == 11
    store = prepare_dataset("ckplus", SIZE, data_root=tmp_path / "data", source=tree)
    assert sorted(path.name for path in store.folder.iterdir()) == [
        "images.npy", "index.parquet", "manifest.json", "preview.png",
    ]  # fmt: skip
