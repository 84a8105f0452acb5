"""Frames of layers are aligned as the images are: the same files, the same landmarks, or an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets.prepared.face_chunks import Resample
from datasets.prepared.layer_frames import LayerSources, check_as_prepared, read_layer_frames
from datasets.prepared.preparation import prepare_dataset
from datasets.prepared.store import PreparedStore
from datasets.raw.choices import Choices
from platform.errors import UserError
from tests.datasets.prepared.layered_store import SIZE, EveryFace, labelled_tree, prepared
from tests.raw_trees import write_landmarks


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return labelled_tree(tmp_path / "ckplus")


@pytest.fixture
def store(tree: Path, tmp_path: Path) -> PreparedStore:
    return prepared(tree, tmp_path / "data")


def by_file(tree: Path, tmp_path: Path, *frames: str) -> tuple[PreparedStore, Path]:
    """A store aligned by a landmark file that also lists `frames`."""
    wanted = prepared(tree, tmp_path / "own").image_names.tolist()
    points = write_landmarks(tmp_path / "points.csv", [*wanted, *frames])
    made = prepare_dataset("ckplus", SIZE, data_root=tmp_path / "by-file", source=tree, landmarks=points)
    return made, points


def test_frames_of_the_stores_sequences_are_read_with_landmarks_of_their_own(
    store: PreparedStore, tree: Path
) -> None:
    found = read_layer_frames(store, LayerSources(source=tree), with_sequences=True)
    assert len(found.in_sequences) == 15
    assert len(found.images) == 11
    assert all(record.landmarks is not None for record in found.in_sequences)


def test_sequences_that_the_images_leave_out_are_left_out(tree: Path, tmp_path: Path) -> None:
    frames = frozenset({("S005_001", 4), ("S010_004", 5)})
    chosen = Choices(frames=frames)
    store = prepare_dataset("ckplus", SIZE, data_root=tmp_path / "data", source=tree, choices=chosen)
    found = read_layer_frames(store, LayerSources(source=tree), with_sequences=True)
    assert {record.sequence_id for record in found.in_sequences} == {"S005_001", "S010_004"}
    assert len(found.in_sequences) == 10


def test_landmarks_come_from_where_the_images_have_theirs(
    tree: Path, store: PreparedStore, tmp_path: Path
) -> None:
    filed, points = by_file(tree, tmp_path, "S005_001_00000002.png")
    found = read_layer_frames(filed, LayerSources(source=tree, landmarks=points), with_sequences=True)
    without = [record.image_name for record in found.in_sequences if record.landmarks is None]
    assert without == ["S010_002_00000002", "S010_004_00000001", "S010_004_00000002"]
    with pytest.raises(
        UserError, match="aligned by a landmark file; pass the same one with --landmarks FILE"
    ):
        read_layer_frames(filed, LayerSources(source=tree), with_sequences=True)
    for given in ({"landmarks": points}, {"find_landmarks": EveryFace()}):
        with pytest.raises(UserError, match=r"by the data set's own landmarks, but --landmarks was given"):
            read_layer_frames(store, LayerSources(source=tree, **given), with_sequences=True)  # type: ignore[arg-type]


def test_another_landmark_file_is_refused(tree: Path, tmp_path: Path) -> None:
    store, points = by_file(tree, tmp_path)
    points.write_text(points.read_text().replace("60.0,50.0", "61.0,50.0"))
    with pytest.raises(UserError, match="S005_001_00000001 was prepared with other landmarks"):
        read_layer_frames(store, LayerSources(source=tree, landmarks=points), with_sequences=True)


def test_a_changed_or_missing_file_of_an_image_is_refused(store: PreparedStore, tree: Path) -> None:
    frame = tree / "cohn-kanade-images/S010/004/S010_004_00000005.png"
    content = frame.read_bytes()
    frame.write_bytes(frame.with_name("S010_004_00000004.png").read_bytes())
    with pytest.raises(UserError, match=r"ckplus holds another version of cohn-.*S010_004_00000005\.png"):
        read_layer_frames(store, LayerSources(source=tree), with_sequences=True)
    frame.write_bytes(content)
    label = tree / "Emotion/S010/004/S010_004_00000005_emotion.txt"
    label.unlink()
    with pytest.raises(UserError, match=r"ckplus lacks cohn-kanade-images/S010/004/S010_004_00000003\.png"):
        read_layer_frames(store, LayerSources(source=tree), with_sequences=True)


@pytest.mark.parametrize(
    ("asked", "flag"),
    [
        ({"choices": Choices(whole_sequences=True)}, "--whole-sequences"),
        ({"choices": Choices(frames=frozenset({("S005_001", 4)}))}, "--frames"),
        ({"aligned": True}, "--aligned"),
        ({"resample": "released"}, "--resample"),
    ],
)
def test_asking_for_other_images_is_refused_by_the_flag(
    store: PreparedStore, asked: dict[str, object], flag: str
) -> None:
    arguments: dict[str, object] = {"choices": Choices(), "aligned": False, "resample": None} | asked
    with pytest.raises(UserError, match=f"prepared otherwise than {flag} says"):
        check_as_prepared(store, **arguments)  # type: ignore[arg-type]


def test_asking_for_the_same_images_or_for_nothing_is_fine(tree: Path, tmp_path: Path) -> None:
    choices = Choices(frames=frozenset({("S005_001", 4)}))
    store = prepare_dataset("ckplus", SIZE, data_root=tmp_path / "data", source=tree, choices=choices)
    resamples: tuple[Resample | None, ...] = (None, "cubic")
    for resample in resamples:
        check_as_prepared(store, choices, aligned=False, resample=resample)
        check_as_prepared(store, Choices(), aligned=False, resample=resample)
