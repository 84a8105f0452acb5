"""Sets of smaller faces, made of a larger prepared set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from datasets.prepared.prepared_sizes import larger_size, prepared_sizes
from datasets.prepared.resized import resize_if_larger
from datasets.prepared.store import NotPrepared, PreparedStore, open_prepared, store_folder
from platform.files.dry_run import dry_run
from tests.tiny_faces import prepare_tiny


def test_it_has_the_same_images_averaged_over_areas(tmp_path: Path) -> None:
    larger = prepare_tiny(tmp_path, "ckplus", subjects=3, size=48)
    small = resize_if_larger(tmp_path, "ckplus", 24)
    assert small is not None
    assert small.folder == store_folder(tmp_path, "ckplus", 24)
    for column in ("subjects", "sequences", "frames", "expressions", "roles", "image_names"):
        assert np.array_equal(getattr(small, column), getattr(larger, column))
    blocks = larger.images.reshape(len(larger.images), 24, 2, 24, 2, 3).astype(float).mean((2, 4))
    assert np.abs(small.images - blocks).max() <= 0.5
    manifest = json.loads((small.folder / "manifest.json").read_text())
    assert manifest["resized_from"] == {"hash": larger.hash, "size_pixels": 48}
    assert np.array_equal(PreparedStore.open(small.folder).images, small.images)


def test_its_hash_differs_from_that_of_a_set_prepared_at_its_size(tmp_path: Path) -> None:
    prepare_tiny(tmp_path / "a", "ckplus", size=48)
    small = resize_if_larger(tmp_path / "a", "ckplus", 34)
    assert small is not None
    assert small.hash != prepare_tiny(tmp_path / "b", "ckplus", size=34).hash


def test_it_is_made_once_and_again_when_the_larger_one_changed(tmp_path: Path) -> None:
    prepare_tiny(tmp_path, "ckplus", subjects=3, size=48)
    first = resize_if_larger(tmp_path, "ckplus", 24)
    assert first is not None
    made = (first.folder / "manifest.json").stat().st_mtime_ns
    again = resize_if_larger(tmp_path, "ckplus", 24)
    assert (first.folder / "manifest.json").stat().st_mtime_ns == made
    assert again is not None
    assert again.hash == first.hash
    prepare_tiny(tmp_path, "ckplus", subjects=4, size=48)
    changed = resize_if_larger(tmp_path, "ckplus", 24)
    assert changed is not None
    assert len(set(changed.subjects.tolist())) == 4


def test_the_smallest_larger_set_that_was_prepared_itself_is_taken(tmp_path: Path) -> None:
    prepare_tiny(tmp_path, "ckplus", size=48)
    prepare_tiny(tmp_path, "ckplus", size=64)
    assert resize_if_larger(tmp_path, "ckplus", 40) is not None
    assert prepared_sizes(tmp_path, "ckplus") == (40, 48, 64)
    assert larger_size(tmp_path, "ckplus", 24) == 48
    assert larger_size(tmp_path, "ckplus", 56) == 64
    assert larger_size(tmp_path, "mmi", 24) is None


@pytest.mark.parametrize("size", [48, 64])
def test_a_set_that_was_prepared_itself_is_left_alone_and_nothing_is_enlarged(
    tmp_path: Path, size: int
) -> None:
    prepare_tiny(tmp_path, "ckplus", size=48)
    assert resize_if_larger(tmp_path, "ckplus", size) is None
    assert prepared_sizes(tmp_path, "ckplus") == (48,)


def test_a_dry_run_plans_it_in_memory(tmp_path: Path) -> None:
    larger = prepare_tiny(tmp_path, "ckplus", size=48)
    with dry_run():
        planned = open_prepared(tmp_path, "ckplus", 24)
    assert not planned.is_prepared
    assert planned.image_names.tolist() == larger.image_names.tolist()
    assert prepared_sizes(tmp_path, "ckplus") == (48,)
    with pytest.raises(NotPrepared):
        open_prepared(tmp_path, "ckplus", 24)
