"""Neutral faces as a class: a layer that names images, and leaves them as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets.prepared.neutral_layer import NeutralLayer, write_neutral
from datasets.prepared.store import PreparedStore, store_folder
from platform.errors import UserError
from tests.datasets.prepared.layered_store import files_of, images_of
from tests.datasets.prepared.small_store import RECORDS, SIZE, read_frame, record, write_records
from tests.written_stores import write_store


@pytest.fixture
def store(tmp_path: Path) -> PreparedStore:
    return write_records(store_folder(tmp_path, "ckplus", SIZE))


def test_all_neutral_images_are_items_of_the_class(store: PreparedStore) -> None:
    before = images_of(store)
    write_neutral(store.folder, "ckplus", SIZE)
    layer = store.layer("neutral")
    assert layer.rows.tolist() == [0, 3]
    assert layer.rows.dtype == np.int64
    assert layer.image_names.tolist() == ["S001_001_00000001", "S002_001_00000001"]
    assert images_of(store) == before
    assert PreparedStore.open(store.folder).class_names == ("anger", "surprise")


def test_its_hash_depends_on_the_neutral_faces_alone(store: PreparedStore, tmp_path: Path) -> None:
    write_neutral(store.folder, "ckplus", SIZE)
    fewer = write_records(store_folder(tmp_path / "fewer", "ckplus", SIZE), RECORDS[1:])
    write_neutral(fewer.folder, "ckplus", SIZE)
    assert fewer.hash != store.hash
    assert files_of(fewer.folder / "layers") == files_of(store.folder / "layers")
    moved = [record("S003", 1, "neutral"), *RECORDS]
    more = write_records(store_folder(tmp_path / "more", "ckplus", SIZE), moved)
    write_neutral(more.folder, "ckplus", SIZE)
    assert more.layer("neutral").hash != store.layer("neutral").hash


def test_a_set_without_neutral_faces_is_refused(tmp_path: Path) -> None:
    folder = store_folder(tmp_path, "ckplus", SIZE)
    store = write_store(folder, "ckplus", SIZE, RECORDS[:2], read_frame)
    with pytest.raises(UserError, match=r"needs some, but CK\+ as prepared has none"):
        write_neutral(store.folder, "ckplus", SIZE)
    with pytest.raises(UserError, match=r"needs some, but CK\+ as prepared has none"):
        store.layer("neutral")


def test_a_missing_layer_is_added_without_the_raw_data(store: PreparedStore, tmp_path: Path) -> None:
    command = f"python -m platform.prepare --dataset ckplus --data-root {tmp_path} --size 24 --neutral-class"
    with pytest.raises(UserError, match=rf"lacks the layer 'neutral' .*add it with: {command}$"):
        store.layer("neutral")


def test_a_layer_of_other_images_is_refused(store: PreparedStore) -> None:
    write_neutral(store.folder, "ckplus", SIZE)
    with pytest.raises(UserError, match="belongs to other images: the store has no S001_001_00000001"):
        NeutralLayer.open(store.folder, ["S009_001_00000001"])
