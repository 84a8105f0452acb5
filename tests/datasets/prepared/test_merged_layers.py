"""A merged set has the layers of its parts, without a copy of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets.folds.view import FoldView
from datasets.prepared.landmark_layer import write_landmarks
from datasets.prepared.layer_files import MissingLayer
from datasets.prepared.merged import merged_store
from datasets.prepared.neutral_layer import write_neutral
from datasets.prepared.store import PreparedStore, store_folder
from platform.errors import LeakageError, UserError
from platform.files.dry_run import dry_run
from tests.tiny_faces import SIZE, prepare_tiny, records
from tests.tiny_sequences import prepare_tiny_sequences

NAMES = ("synthetic", "synthetic_mmi")


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    for count, name in enumerate(NAMES, start=2):
        store = prepare_tiny_sequences(tmp_path, name, subjects=count, others=f"{name} ")
        write_neutral(store.folder, name, SIZE)
        faces = [(record, np.full((68, 2), float(count))) for record in records(count)]
        write_landmarks(store.folder, name, SIZE, faces, {})
    return tmp_path


def parts(data_root: Path) -> list[PreparedStore]:
    return [PreparedStore.open(store_folder(data_root, name, SIZE)) for name in NAMES]


def test_sequences_of_all_parts_are_read_with_the_names_of_the_merged_set(data_root: Path) -> None:
    merged = merged_store(data_root, NAMES, SIZE)
    layer = merged.layer("sequences")
    layers = [part.layer("sequences") for part in parts(data_root)]
    assert len(layer.names) == 2 * 3 + 3 * 3
    assert layer.frames.shape == (45, SIZE, SIZE, 3)
    item = 0
    for name, one in zip(NAMES, layers, strict=True):
        for own in range(len(one.names)):
            assert layer.names[item] == f"{name}:{one.names[own]}"
            assert layer.subjects[item] == f"{name}:{one.subjects[own]}"
            np.testing.assert_array_equal(layer.read(item), one.read(own))
            item += 1
    assert set(layer.names.tolist()) == set(merged.sequences[merged.roles == "expressive"].tolist())


def test_landmarks_and_neutral_faces_are_found_by_the_names_of_the_merged_set(data_root: Path) -> None:
    merged = merged_store(data_root, NAMES, SIZE)
    landmarks = merged.layer("landmarks")
    rows = landmarks.rows_of(merged.image_names)
    by_set = [2.0 if name.startswith("synthetic:") else 3.0 for name in merged.image_names.tolist()]
    assert landmarks.points[rows, 0, 0].tolist() == by_set
    neutral = merged.layer("neutral")
    assert neutral.rows.tolist() == np.flatnonzero(merged.roles == "neutral").tolist()


def test_hashes_are_those_of_the_parts_together(data_root: Path) -> None:
    merged = merged_store(data_root, NAMES, SIZE)
    names = ("sequences", "landmarks", "neutral")
    hashes = merged.layer_hashes(names)
    assert len(set(hashes.values())) == 3
    for part in parts(data_root):
        assert not set(part.layer_hashes(names).values()) & set(hashes.values())
    write_landmarks(
        store_folder(data_root, "synthetic", SIZE), "synthetic", SIZE,
        [(record, np.full((68, 2), 9.0)) for record in records(2)], {},
    )  # fmt: skip
    changed = merged.layer_hashes(names)
    assert changed["landmarks"] != hashes["landmarks"]
    assert changed["sequences"] == hashes["sequences"]


def test_leaving_one_set_out_is_guarded(data_root: Path) -> None:
    merged = merged_store(data_root, NAMES, SIZE)
    of_first = [subject for subject in set(merged.subjects.tolist()) if subject.startswith("synthetic:")]
    of_second = sorted(set(merged.subjects.tolist()) - set(of_first))
    view = FoldView(merged, train_subjects=of_first, evaluation_subjects=of_second, role="final")
    assert view.sequence_view.training_items.tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(LeakageError, match="subjects synthetic_mmi:S01 are tested"):
        view.sequence_view.read(6)


def test_a_part_without_the_layer_is_named_with_its_command(data_root: Path) -> None:
    prepare_tiny(data_root, "synthetic_mmi", subjects=4, others="others ")
    merged = merged_store(data_root, NAMES, SIZE)
    for name, flag in (("sequences", "--sequences"), ("neutral", "--neutral-class")):
        with pytest.raises(MissingLayer, match=rf"--dataset synthetic_mmi .*{flag}$"):
            merged.layer(name)


def test_a_part_that_changed_since_is_noticed(data_root: Path) -> None:
    merged = merged_store(data_root, NAMES, SIZE)
    prepare_tiny_sequences(data_root, "synthetic_mmi", subjects=4)
    with pytest.raises(UserError, match=r"synthetic_mmi-34 has changed since .*--leave-one-out again"):
        merged.layer("sequences")


def test_a_dry_run_plans_them(tmp_path: Path) -> None:
    with dry_run():
        merged = merged_store(tmp_path, NAMES, SIZE)
        layer = merged.layer("sequences")
        assert set(layer.subjects.tolist()) == set(merged.subjects.tolist())
        assert layer.read(len(layer.names) - 1).max() == 0
        assert set(merged.roles[merged.layer("neutral").rows].tolist()) == {"neutral"}
        assert len(merged.layer("landmarks").rows_of(merged.image_names)) == len(merged.image_names)
