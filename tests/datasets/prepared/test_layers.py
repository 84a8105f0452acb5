"""What a method needs and a prepared set has, or lacks for a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets.catalogue import dataset_names, describe
from datasets.prepared.landmark_layer import LandmarkLayer
from datasets.prepared.layer_files import MissingLayer
from datasets.prepared.layers import check_has_sequences
from datasets.prepared.neutral_layer import NeutralLayer
from datasets.prepared.sequence_layer import SequenceLayer
from datasets.prepared.store import PreparedStore, open_prepared, store_folder
from platform.errors import UserError
from platform.files.dry_run import dry_run
from tests.datasets.prepared.layered_store import add_layers, labelled_tree, prepared
from tests.datasets.prepared.small_store import RECORDS, SIZE, read_frame
from tests.written_stores import write_store

HAVE_SEQUENCES = {"ckplus", "folder", "mmi", "oulu_casia", "synthetic", "synthetic_mmi"}


@pytest.mark.parametrize("name", dataset_names())
def test_a_data_set_has_sequences_or_says_why_not(name: str) -> None:
    if name in HAVE_SEQUENCES:
        check_has_sequences(name)
        return
    with pytest.raises(UserError) as caught:
        check_has_sequences(name)
    message = str(caught.value)
    assert describe(name).title in message
    assert describe(name).no_sequences in message
    assert f"({', '.join(sorted(HAVE_SEQUENCES))})" in message


def test_layers_of_a_store_and_their_hashes(tmp_path: Path) -> None:
    tree = labelled_tree(tmp_path / "ckplus")
    store = prepared(tree, tmp_path / "data")
    add_layers(store, tree, "sequences", "landmarks", "neutral")
    assert isinstance(store.layer("sequences"), SequenceLayer)
    assert isinstance(store.layer("landmarks"), LandmarkLayer)
    assert isinstance(store.layer("neutral"), NeutralLayer)
    hashes = store.layer_hashes({"sequences", "neutral"})
    assert list(hashes) == ["neutral", "sequences"]
    assert hashes["sequences"] == store.layer("sequences").hash
    assert store.hash not in hashes.values()
    assert store.layer_hashes([]) == {}


def test_a_need_that_is_not_met_names_the_set_the_layer_and_the_command(tmp_path: Path) -> None:
    store = prepared(labelled_tree(tmp_path / "ckplus"), tmp_path / "data")
    with pytest.raises(MissingLayer) as caught:
        store.layer_hashes({"sequences"})
    message = str(caught.value)
    assert str(store.folder) in message
    assert "the layer 'sequences' (all frames of the labelled sequences, in order)" in message
    flags = f"--dataset ckplus --source DIR --data-root {tmp_path / 'data'} --size 32 --sequences"
    assert message.endswith(f"python -m platform.prepare {flags}")


def test_a_sequence_method_on_a_set_without_sequences_is_refused_with_the_reason(tmp_path: Path) -> None:
    store = write_store(store_folder(tmp_path, "bu3dfe", SIZE), "bu3dfe", SIZE, RECORDS, read_frame)
    with pytest.raises(UserError, match="BU-3DFE: its photographs show an expression at four levels"):
        store.layer("sequences")


def test_a_merged_set_needs_sequences_in_every_part(tmp_path: Path) -> None:
    folder = store_folder(tmp_path, "affectnet+mmi", SIZE)
    store = write_store(folder, "affectnet+mmi", SIZE, RECORDS, read_frame)
    with pytest.raises(UserError, match="AffectNet: each of its images is a photograph"):
        store.layer("sequences")


@pytest.mark.parametrize("name", ["synthetic", "synthetic_mmi"])
def test_a_dry_run_plans_the_layers_of_an_embedded_set(tmp_path: Path, name: str) -> None:
    with dry_run():
        store = open_prepared(tmp_path, name, 48)
        layer = store.layer("sequences")
        assert set(layer.subjects.tolist()) == set(store.subjects.tolist())
        points = store.layer("landmarks")
        assert set(store.image_names.tolist()) <= set(points.image_names.tolist())
        assert set(store.roles[store.layer("neutral").rows].tolist()) == {"neutral"}
        assert len(set(store.layer_hashes(("sequences", "landmarks", "neutral")).values())) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_plans_what_a_prepared_embedded_set_lacks_and_reads_what_it_has(tmp_path: Path) -> None:
    folder = store_folder(tmp_path, "synthetic", SIZE)
    write_store(folder, "synthetic", SIZE, RECORDS, read_frame)
    with dry_run():
        assert "not prepared yet" in PreparedStore.open(folder).layer("sequences").hash
    with pytest.raises(MissingLayer):
        PreparedStore.open(folder).layer("sequences")
