"""Layers on disk: beside the images, with manifests of their own, and commands that add them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets.prepared.layer_files import (
    layer_command,
    layer_folder,
    layer_writer,
    layers_of,
    open_layer,
    read_layer_manifest,
    write_layer_manifest,
)
from datasets.prepared.store import PreparedStore, store_folder
from datasets.prepared.store_files import manifest_hash
from platform.errors import UserError
from tests.datasets.prepared.small_store import RECORDS, SIZE, read_frame, write_records
from tests.written_stores import write_store


@pytest.fixture
def store(tmp_path: Path) -> PreparedStore:
    return write_records(store_folder(tmp_path, "ckplus", SIZE))


def write(store: PreparedStore, content: bytes = b"points") -> None:
    with layer_writer(store.folder, "landmarks") as partial:
        (partial / "some.npy").write_bytes(content)
        write_layer_manifest(partial, "landmarks", "ckplus", SIZE, ("some.npy",), {"face_count": 6})


def test_a_layer_exists_once_its_manifest_does(store: PreparedStore) -> None:
    assert layers_of(store.folder) == []
    write(store)
    assert layers_of(store.folder) == ["landmarks"]
    assert open_layer(store.folder, "landmarks")["face_count"] == 6
    layer_folder(store.folder, "neutral").mkdir()
    assert layers_of(store.folder) == ["landmarks"]


def test_an_unknown_name_lists_the_known(store: PreparedStore) -> None:
    with pytest.raises(UserError, match="unknown layer 'sequence'; did you mean 'sequences'"):
        layer_folder(store.folder, "sequence")


def test_an_equal_layer_stays_and_another_one_replaces_it(store: PreparedStore) -> None:
    write(store)
    path = layer_folder(store.folder, "landmarks") / "some.npy"
    inode = path.stat().st_ino
    write(store)
    assert path.stat().st_ino == inode
    write(store, b"other points")
    assert path.read_bytes() == b"other points"
    path.write_bytes(b"damaged")
    write(store, b"other points")
    assert open_layer(store.folder, "landmarks")
    assert [one.name for one in path.parent.parent.iterdir()] == ["landmarks"]


def fail_half_way(store: PreparedStore) -> None:
    with layer_writer(store.folder, "landmarks") as partial:
        (partial / "some.npy").write_bytes(b"half")
        raise UserError("no face")


def test_an_error_leaves_the_earlier_layer_and_nothing_else(store: PreparedStore) -> None:
    write(store)
    with pytest.raises(UserError, match="no face"):
        fail_half_way(store)
    assert open_layer(store.folder, "landmarks")["face_count"] == 6
    assert [one.name for one in (store.folder / "layers").iterdir()] == ["landmarks"]


def test_another_version_is_refused_with_the_command(store: PreparedStore) -> None:
    write(store)
    path = layer_folder(store.folder, "landmarks") / "manifest.json"
    manifest = json.loads(path.read_text()) | {"layer_version": 99}
    manifest["hash"] = manifest_hash(manifest)
    path.write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"made by version 99 of recipe 2, .*--dense-landmarks"):
        read_layer_manifest(store.folder, "landmarks")


def test_a_manifest_of_another_layer_is_refused(store: PreparedStore) -> None:
    write(store)
    (store.folder / "layers/landmarks").rename(store.folder / "layers/sequences")
    with pytest.raises(UserError, match="is damaged"):
        read_layer_manifest(store.folder, "sequences")


@pytest.mark.parametrize(
    ("dataset", "notes", "name", "flags"),
    [
        ("ckplus", {}, "sequences", "--source DIR --size 24 --sequences"),
        ("ckplus", {}, "landmarks", "--source DIR --size 24 --dense-landmarks"),
        ("ckplus", {}, "neutral", "--size 24 --neutral-class"),
        (
            "mmi", {"landmarks_from": "file"}, "sequences",
            "--source DIR --landmarks FILE --size 24 --sequences",
        ),
        (
            "mmi", {"landmarks_from": "face-alignment-1.5.0-sfd"}, "landmarks",
            "--source DIR --landmarks detect --size 24 --dense-landmarks detect",
        ),
        ("synthetic", {}, "sequences", "--size 24 --sequences"),
    ],
)  # fmt: skip
def test_the_command_aligns_frames_as_the_images_were(
    tmp_path: Path,
    dataset: str,
    notes: dict[str, object],
    name: str,
    flags: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from datasets.prepared.face_chunks import FrameSource, Recipe
    from datasets.prepared.store_writer import write_prepared

    monkeypatch.chdir(tmp_path)
    folder = store_folder(Path("data"), dataset, SIZE)
    recipe = Recipe(size_pixels=SIZE, notes=notes)
    write_prepared(folder, dataset, RECORDS, FrameSource(read_frame=read_frame), recipe)
    assert layer_command(folder, name) == f"python -m platform.prepare --dataset {dataset} {flags}"


def test_face_crops_need_no_flag_but_their_landmarks_are_detected(tmp_path: Path) -> None:
    folder = store_folder(tmp_path, "ckplus", SIZE)
    write_store(folder, "ckplus", SIZE, RECORDS, read_frame, aligned=True)
    assert layer_command(folder, "sequences").endswith(f"--data-root {tmp_path} --size 24 --sequences")
    assert layer_command(folder, "landmarks").endswith("--size 24 --dense-landmarks detect")


def test_other_images_remove_the_layers(store: PreparedStore) -> None:
    write(store)
    write_records(store.folder)
    assert layers_of(store.folder) == ["landmarks"]
    write_records(store.folder, RECORDS[:4])
    assert layers_of(store.folder) == []
