"""The prepared store as its readers see it: rows, damage, and where it is looked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from datasets.alignment.similarity import template_points, transform_points
from datasets.prepared import store_files
from datasets.prepared.prepare_command import prepare_command
from datasets.prepared.store import PreparedStore, open_prepared, store_folder
from platform.errors import UserError
from tests.datasets.prepared.small_store import SIZE, contents, write_records
from tests.raw_trees import face_points


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return store_folder(tmp_path, "ckplus", SIZE)


@pytest.fixture
def store(folder: Path) -> PreparedStore:
    return write_records(folder)


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


@pytest.mark.parametrize("name", ["images.npy", "index.parquet"])
@pytest.mark.parametrize("where", [0.3, 0.99])
def test_opening_names_a_file_in_which_one_bit_changed(store: PreparedStore, name: str, where: float) -> None:
    PreparedStore.open(store.folder)
    path = store.folder / name
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        UserError,
        match=rf"{name} does not match the hash .*python -m platform.prepare --dataset ckplus .*--size 24",
    ):
        PreparedStore.open(store.folder)


def test_faces_changed_through_a_memory_map_are_noticed(store: PreparedStore) -> None:
    faces = np.load(store.folder / "images.npy", mmap_mode="r+")
    faces[:] = 255 - faces
    faces.flush()
    with pytest.raises(UserError, match=r"images\.npy does not match the hash"):
        PreparedStore.open(store.folder)


def test_a_pipe_in_the_place_of_the_images_is_refused_and_not_waited_for(store: PreparedStore) -> None:
    (store.folder / "images.npy").unlink()
    os.mkfifo(store.folder / "images.npy")
    with pytest.raises(UserError, match=r"images\.npy is missing or damaged"):
        PreparedStore.open(store.folder)


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
        PreparedStore.open(store.folder)
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
        "import sys; from pathlib import Path; from datasets.prepared.store import PreparedStore; "
        "PreparedStore.open(Path(sys.argv[1])); print(sorted({'pandas', 'torch', 'ray'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, str(store.folder)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
