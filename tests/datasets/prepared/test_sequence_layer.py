"""The layer `sequences` as its readers see it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from datasets.catalogue import undrawn_records
from datasets.prepared.sequence_layer import SequenceLayer
from datasets.prepared.store import PreparedStore
from datasets.raw.choices import Choices
from platform.errors import UserError
from tests.datasets.prepared.layered_store import SIZE, add_layers, labelled_tree, prepared


@pytest.fixture
def store(tmp_path: Path) -> PreparedStore:
    tree = labelled_tree(tmp_path / "ckplus")
    made = prepared(tree, tmp_path / "data")
    add_layers(made, tree, "sequences")
    return made


def test_it_holds_all_frames_of_the_labelled_sequences_in_order(store: PreparedStore) -> None:
    layer = store.layer("sequences")
    assert layer.names.tolist() == ["S005_001", "S010_002", "S010_004"]
    assert layer.subjects.tolist() == ["S005", "S010", "S010"]
    assert layer.expressions.tolist() == ["disgust", "surprise", "anger"]
    assert layer.first.tolist() == [0, 5, 10]
    assert layer.lengths.tolist() == [5, 5, 5]
    assert layer.apexes.tolist() == [4, 4, 4]
    assert layer.frame_numbers.tolist() == [1, 2, 3, 4, 5] * 3
    assert set(layer.alignments.tolist()) == {"own"}
    assert (layer.frames.shape, layer.frames.dtype) == ((15, SIZE, SIZE, 3), np.uint8)
    assert layer.read(1).shape == (5, SIZE, SIZE, 3)
    np.testing.assert_array_equal(layer.read(1), layer.frames[5:10])


def test_a_frame_that_is_an_image_has_the_bytes_of_the_image(store: PreparedStore) -> None:
    layer = store.layer("sequences")
    for row, (sequence, frame) in enumerate(
        zip(store.sequences.tolist(), store.frames.tolist(), strict=True)
    ):
        item = layer.names.tolist().index(sequence)
        np.testing.assert_array_equal(layer.read(item)[frame - 1], store.images[row])


def test_no_reader_changes_the_file(store: PreparedStore) -> None:
    layer = store.layer("sequences")
    assert isinstance(layer.frames, np.memmap)
    kept = layer.read(0)
    layer.read(0)[:] = 0
    layer.frames[:] = 0
    np.testing.assert_array_equal(store.layer("sequences").read(0), kept)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize("damage", [flip_a_bit, shorten, Path.unlink])
@pytest.mark.parametrize("name", ["frames.npy", "frames.parquet", "sequences.parquet", "manifest.json"])
def test_opening_names_a_damaged_file_and_the_command_and_leaves_the_images_usable(
    store: PreparedStore, name: str, damage: Callable[[Path], None]
) -> None:
    damage(store.folder / "layers/sequences" / name)
    absent = damage is Path.unlink and name == "manifest.json"
    fault = "lacks the layer 'sequences'" if absent else name
    with pytest.raises(UserError, match=rf"{fault}.*--dataset ckplus --source DIR .*--size 32 --sequences"):
        store.layer("sequences")
    assert PreparedStore.open(store.folder).hash == store.hash


def test_a_planned_layer_has_the_rows_of_the_prepared_one_and_no_pixels() -> None:
    records = undrawn_records("synthetic_mmi", Choices(whole_sequences=True))
    layer = SequenceLayer.planned("synthetic_mmi", 48, records)
    assert set(layer.lengths.tolist()) == {7}  # four frames there, three back
    assert set(layer.apexes.tolist()) == {3}
    assert len(layer.names) == 31 * 6
    assert layer.read(3).max() == 0
    assert "not prepared yet" in layer.hash
