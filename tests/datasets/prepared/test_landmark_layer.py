"""The layer `landmarks`: 68 points in the aligned face, by image name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets.alignment.similarity import five_points_from_68, template_points
from datasets.prepared.store import PreparedStore
from platform.errors import UserError
from tests.datasets.prepared.layered_store import (
    SIZE,
    EveryFace,
    add_layers,
    files_of,
    images_of,
    labelled_tree,
    prepared,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return labelled_tree(tmp_path / "ckplus")


@pytest.fixture
def store(tree: Path, tmp_path: Path) -> PreparedStore:
    return prepared(tree, tmp_path / "data")


def test_points_of_images_and_of_all_frames_lie_in_the_aligned_face(store: PreparedStore, tree: Path) -> None:
    before = images_of(store)
    add_layers(store, tree, "landmarks")
    layer = store.layer("landmarks")
    assert layer.points.shape == (15, 68, 2)
    assert layer.points.dtype == np.float32
    assert set(store.image_names.tolist()) <= set(layer.image_names.tolist())
    assert layer.subjects.tolist() == ["S005"] * 5 + ["S010"] * 10
    # The drawn face is the same in all frames but for its place, so its aligned points are too.
    five = np.array([five_points_from_68(points.astype(np.float64)) for points in layer.points])
    assert np.abs(five - template_points(SIZE)).max() < 0.1 * SIZE
    assert np.abs(five - five[0]).max() < 1e-3
    assert images_of(store) == before


def test_faces_are_found_by_name_and_a_missing_one_is_named(store: PreparedStore, tree: Path) -> None:
    add_layers(store, tree, "landmarks")
    layer = store.layer("landmarks")
    assert layer.rows_of(["S010_002_00000003", "S005_001_00000001"]).tolist() == [7, 0]
    with pytest.raises(UserError, match="1 of 2 faces have no 68 landmarks, the first being S999_001"):
        layer.rows_of(["S005_001_00000001", "S999_001_00000001"])


def test_a_damaged_file_is_named(store: PreparedStore, tree: Path) -> None:
    add_layers(store, tree, "landmarks")
    path = store.folder / "layers/landmarks/landmarks.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(UserError, match=r"landmarks\.npy does not match .*--size 32 --dense-landmarks"):
        store.layer("landmarks")


def test_a_finder_may_give_them(store: PreparedStore, tree: Path) -> None:
    finder = EveryFace("S005_001_00000002")
    add_layers(store, tree, "landmarks", find_dense=finder)
    layer = store.layer("landmarks")
    assert len(finder.asked) == 15
    assert len(layer.image_names) == 14  # a frame that is no image may lack them
    text = (store.folder / "layers/landmarks/manifest.json").read_text()
    assert '"landmarks_from": "every-face-1"' in text
    assert '"frames_without_landmarks": 1' in text


def test_an_image_without_landmarks_stops_the_run_or_is_listed(store: PreparedStore, tree: Path) -> None:
    finder = EveryFace("S005_001_00000005")
    with pytest.raises(UserError, match=r"1 of 11 images have no 68 .*S005_001_00000005.*--skip-bad"):
        add_layers(store, tree, "landmarks", find_dense=finder)
    assert not (store.folder / "layers").exists()
    add_layers(store, tree, "landmarks", find_dense=finder, skip_bad=True)
    assert '"S005_001_00000005"' in (store.folder / "layers/landmarks/manifest.json").read_text()


def test_twice_gives_the_same_bytes(store: PreparedStore, tree: Path) -> None:
    add_layers(store, tree, "landmarks")
    first = files_of(store.folder)
    add_layers(store, tree, "landmarks")
    assert files_of(store.folder) == first
