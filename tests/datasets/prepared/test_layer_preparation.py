"""Layers are added to a prepared set in any order, and leave its images as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datasets.alignment.similarity import five_points_from_68, template_points
from datasets.catalogue import load_adapter, undrawn_records
from datasets.prepared.layer_files import layers_of
from datasets.prepared.layer_frames import LayerSources
from datasets.prepared.layer_preparation import prepare_layers
from datasets.prepared.preparation import prepare_dataset
from datasets.prepared.store import PreparedStore, store_folder
from datasets.raw.choices import Choices
from platform.errors import UserError
from platform.files.dry_run import dry_run
from tests.datasets.prepared.layered_store import (
    SIZE,
    EveryFace,
    add_layers,
    files_of,
    images_of,
    labelled_tree,
    prepared,
)
from tests.datasets.prepared.small_store import RECORDS, read_frame
from tests.raw_trees import FACE, write_landmarks, write_mmi
from tests.written_stores import write_store


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return labelled_tree(tmp_path / "ckplus")


def test_in_any_order_and_together_they_are_the_same_and_the_images_stay(tree: Path, tmp_path: Path) -> None:
    together, first, last = (prepared(tree, tmp_path / name) for name in ("together", "first", "last"))
    before = images_of(together)
    add_layers(together, tree, "sequences", "landmarks", "neutral")
    for name in ("sequences", "neutral", "landmarks"):
        add_layers(first, tree, name)
    for name in ("landmarks", "sequences", "neutral"):
        add_layers(last, tree, name)
    assert files_of(together.folder) == files_of(first.folder) == files_of(last.folder)
    assert images_of(together) == before
    assert PreparedStore.open(together.folder).hash == together.hash


def test_the_hash_of_a_layer_does_not_depend_on_which_frames_are_images(tree: Path, tmp_path: Path) -> None:
    few = prepared(tree, tmp_path / "few")
    whole = Choices(whole_sequences=True)
    many = prepare_dataset("ckplus", SIZE, data_root=tmp_path / "many", source=tree, choices=whole)
    assert few.hash != many.hash
    for store in (few, many):
        add_layers(store, tree, "sequences", "landmarks", "neutral")
    assert files_of(few.folder / "layers") == files_of(many.folder / "layers")


def test_the_bytes_do_not_depend_on_the_number_of_processes(tree: Path, tmp_path: Path) -> None:
    one, two = prepared(tree, tmp_path / "one"), prepared(tree, tmp_path / "two")
    add_layers(one, tree, "sequences", workers=1)
    add_layers(two, tree, "sequences", workers=2)
    assert files_of(one.folder) == files_of(two.folder)


def test_progress_is_told_of_every_step(tree: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    store = prepared(tree, tmp_path / "data")
    prepare_layers(
        store,
        ("sequences", "landmarks"),
        LayerSources(source=tree),
        progress_of=lambda what: lambda done, total: seen.append((what, done, total)),
    )
    assert ("aligned frames", 15, 15) in seen
    assert seen[-1] == ("dense landmarks", 15, 15)


def test_clips_are_aligned_by_a_file_that_lists_some_frames(tmp_path: Path) -> None:
    tree = write_mmi(tmp_path / "mmi", {"S053-100": 4, "S054-005": 1})
    frames = [f"{clip}_{frame:03d}.png" for clip in ("S053_100", "S054_005") for frame in (0, 3, 4, 5)]
    points = write_landmarks(tmp_path / "points.csv", frames)
    store = prepare_dataset("mmi", SIZE, data_root=tmp_path / "data", source=tree, landmarks=points)
    add_layers(store, tree, "sequences", landmarks=points)
    layer = store.layer("sequences")
    assert layer.lengths.tolist() == [9, 9]
    assert layer.apexes.tolist() == [4, 4]
    # Frame n, from 0, is of one gray, 20 (n + 1).
    np.testing.assert_allclose(layer.read(0).mean(axis=(1, 2, 3)), 20 * np.arange(1, 10), atol=3)
    ways = ["own", "interpolated", "interpolated", "own", "own", "own", "nearest", "nearest", "nearest"]
    assert layer.alignments.tolist() == ways * 2


def test_clips_are_aligned_by_detection_where_their_images_were(tmp_path: Path) -> None:
    class Finder(EveryFace):
        def __call__(self, records, read_frame, bad):  # type: ignore[no-untyped-def, override]
            return [replace(record, landmarks=FACE) for record in records]

    tree = write_mmi(tmp_path / "mmi", {"S053-100": 4, "S054-005": 1})
    finder = Finder("S053_100_00000007")
    data_root = tmp_path / "data"
    store = prepare_dataset("mmi", SIZE, data_root=data_root, source=tree, find_landmarks=finder)
    with pytest.raises(UserError, match="that every-face-1 found; pass --landmarks detect"):
        add_layers(store, tree, "sequences")
    add_layers(store, tree, "sequences", find_landmarks=finder)
    ways = store.layer("sequences").alignments.tolist()
    assert ways == ["own"] * 7 + ["interpolated", "own"] + ["own"] * 9
    with pytest.raises(UserError, match=r"MMI has no 68 .*comes without; pass --dense-landmarks detect"):
        add_layers(store, tree, "landmarks", find_landmarks=finder)
    add_layers(store, tree, "landmarks", find_landmarks=finder, find_dense=finder)
    assert len(store.layer("landmarks").image_names) == 17


def test_face_crops_have_sequences_and_detected_landmarks(tree: Path, tmp_path: Path) -> None:
    store = prepare_dataset("ckplus", SIZE, data_root=tmp_path / "data", source=tree, aligned=True)
    add_layers(store, tree, "sequences")
    layer = store.layer("sequences")
    assert set(layer.alignments.tolist()) == {"crop"}
    np.testing.assert_array_equal(layer.read(0)[0], store.images[0])
    with pytest.raises(UserError, match=r"its own fit whole frames, not face crops; pass --dense-landmarks"):
        add_layers(store, tree, "landmarks")
    add_layers(store, tree, "landmarks", find_dense=EveryFace())
    assert len(store.layer("landmarks").image_names) == 15


def test_a_sequence_with_a_broken_frame_is_left_out_of_the_layer(tree: Path, tmp_path: Path) -> None:
    store = prepared(tree, tmp_path / "data")
    broken = tree / "cohn-kanade-images/S010/004/S010_004_00000002.png"
    broken.write_text("no image")
    with pytest.raises(UserError, match=r"S010_004_00000002\.png is not a readable image"):
        add_layers(store, tree, "sequences")
    assert layers_of(store.folder) == []
    add_layers(store, tree, "sequences", skip_bad=True)
    assert store.layer("sequences").names.tolist() == ["S005_001", "S010_002"]
    text = (store.folder / "layers/sequences/manifest.json").read_text()
    assert str(tmp_path) not in text


def test_a_folder_of_ones_own_needs_to_say_which_images_follow_each_other(tree: Path, tmp_path: Path) -> None:
    faces = tmp_path / "faces"
    (faces / "anna").mkdir(parents=True)
    lines = ["image,subject,expression,sequence,frame,role"]
    for number in range(1, 5):
        name = f"S010_004_{number:08d}.png"
        (faces / "anna" / name).write_bytes((tree / "cohn-kanade-images/S010/004" / name).read_bytes())
        expression = "neutral,a1" if number == 1 else "anger,a1"
        lines.append(f"anna/{name},anna,{expression},{number},")
    (faces / "faces.csv").write_text("\n".join(lines))
    store = prepare_dataset("folder", SIZE, data_root=tmp_path / "data", source=faces, aligned=True)
    add_layers(store, faces, "sequences")
    layer = store.layer("sequences")
    assert (layer.names.tolist(), layer.expressions.tolist()) == (["a1"], ["anger"])
    assert (layer.lengths.tolist(), layer.apexes.tolist()) == ([4], [-1])
    loose = tmp_path / "loose"
    for number in (1, 2):
        name = f"S010_004_{number:08d}.png"
        folder = loose / "anna" / ("neutral" if number == 1 else "anger")
        folder.mkdir(parents=True)
        (folder / name).write_bytes((faces / "anna" / name).read_bytes())
    still = prepare_dataset("folder", SIZE, data_root=tmp_path / "still", source=loose, aligned=True)
    with pytest.raises(UserError, match=r"loose has no sequences: without the columns sequence and frame"):
        add_layers(still, loose, "sequences")


@pytest.mark.parametrize("name", ["synthetic", "synthetic_mmi", "synthetic_wild"])
def test_an_embedded_set_is_drawn_and_gets_the_layers_that_its_real_set_can_have(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = load_adapter(name)
    small = replace(adapter.PARAMETERS, subjects=2, frames=4, size_pixels=48)  # type: ignore[attr-defined]
    monkeypatch.setattr(adapter, "PARAMETERS", small)
    store = prepare_dataset(name, SIZE, data_root=tmp_path)
    layers = ["landmarks"] if name == "synthetic_wild" else ["sequences", "landmarks", "neutral"]
    prepare_layers(store, layers, LayerSources(data_root=tmp_path))
    with dry_run():
        planned = PreparedStore.planned(store.folder, name, SIZE, undrawn_records(name))
        if name != "synthetic_wild":
            assert planned.layer("neutral").rows.tolist() == store.layer("neutral").rows.tolist()
            expected, made = planned.layer("sequences"), store.layer("sequences")
            for field in ("names", "subjects", "expressions", "first", "lengths", "apexes", "frame_numbers"):
                assert getattr(expected, field).tolist() == getattr(made, field).tolist()
            assert set(made.alignments.tolist()) == {"own"}
            names = planned.layer("landmarks").image_names.tolist()
            assert names == store.layer("landmarks").image_names.tolist()
    five = [five_points_from_68(points.astype(float)) for points in store.layer("landmarks").points]
    assert np.abs(np.array(five) - template_points(SIZE)).max() < 0.12 * SIZE
    for missing in {"sequences", "neutral"} - set(layers):
        with pytest.raises(UserError, match="Synthetic faces in the wild"):
            prepare_layers(store, [missing], LayerSources(data_root=tmp_path))


def test_sets_that_cannot_have_a_layer_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    store = write_store(store_folder(tmp_path, "ckplus+mmi", 24), "ckplus+mmi", 24, RECORDS, read_frame)
    with pytest.raises(UserError, match="layers are prepared for single data sets"):
        prepare_layers(store, ["neutral"], LayerSources())
    wild = write_store(store_folder(tmp_path, "affectnet", 24), "affectnet", 24, RECORDS, read_frame)
    with pytest.raises(UserError, match="a method that needs sequences cannot run on AffectNet"):
        prepare_layers(wild, ["sequences"], LayerSources())
    with pytest.raises(UserError, match="unknown layer 'sequence'"):
        prepare_layers(wild, ["sequence"], LayerSources())
