"""Layers are guarded like images: no fold run reads a sequence or a landmark of a subject it must not see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.folds.view import FoldView
from datasets.prepared.landmark_layer import LandmarkLayer
from datasets.prepared.neutral_layer import NeutralLayer
from datasets.prepared.sequence_layer import SequenceLayer
from datasets.prepared.store import store_folder
from platform.errors import LeakageError, UserError
from tests.datasets.folds.test_view import small_store
from tests.datasets.prepared.small_store import write_records
from tests.tiny_sequences import prepare_tiny_sequences

SEQUENCES = [f"{subject}_{number}" for subject in "ABCD" for number in (1, 2)]
"""Each of A, B, C, D has one of anger and one of fear, of 2 and 3 frames; every pixel is the subject's
code."""
LENGTHS = [2, 3] * 4


class Poisoned:
    """Frames or points by row, of which those of forbidden rows must never be read."""

    def __init__(self, values: np.ndarray, forbidden: set[int]) -> None:
        self.values, self.forbidden = values, forbidden

    def __getitem__(self, rows: Any) -> np.ndarray:
        asked = np.arange(len(self.values))[rows]
        assert not self.forbidden & set(np.atleast_1d(asked).tolist()), "a forbidden row was read"
        return np.asarray(self.values[rows])


def layered_store(*forbidden: str) -> Any:
    """The store of test_view.py with all three layers; frames and points of `forbidden` subjects poisoned."""
    subject_of_frame = [
        name[0] for name, length in zip(SEQUENCES, LENGTHS, strict=True) for _ in range(length)
    ]
    poisoned = {row for row, subject in enumerate(subject_of_frame) if subject in forbidden}
    values = np.array([ord(subject) for subject in subject_of_frame], np.uint8)
    frames: Any = Poisoned(np.broadcast_to(values[:, None, None, None], (20, 4, 4, 3)), poisoned)
    points: Any = Poisoned(np.broadcast_to(values[:, None, None], (20, 68, 2)).astype(np.float32), poisoned)
    numbers = [number for length in LENGTHS for number in range(1, length + 1)]
    names = [
        f"{name}_{number:08d}"
        for name, length in zip(SEQUENCES, LENGTHS, strict=True)
        for number in range(1, length + 1)
    ]
    store = small_store()
    layers = {
        "sequences": SequenceLayer(
            hash="s",
            frames=frames,
            frame_numbers=np.array(numbers),
            alignments=np.array(["own"] * 20),
            names=np.array(SEQUENCES),
            subjects=np.array([name[0] for name in SEQUENCES]),
            expressions=np.array(["anger", "fear"] * 4),
            first=np.cumsum([0, *LENGTHS[:-1]]),
            lengths=np.array(LENGTHS),
            apexes=np.array([1, 2] * 4),
        ),
        "landmarks": LandmarkLayer.of("l", points, names, subject_of_frame),
        "neutral": NeutralLayer.of("n", [2, 5, 8, 11], store.image_names.tolist()),
    }
    store.layer = layers.__getitem__
    return store


def view_of(role: Any, *forbidden: str, class_names: tuple[str, ...] | None = None) -> FoldView:
    """A and B train, C is evaluated, D belongs to neither."""
    return FoldView(
        layered_store(*forbidden),
        train_subjects=["A", "B"],
        evaluation_subjects=["C"],
        role=role,
        class_names=class_names,
    )


def test_items_are_by_subject() -> None:
    view = view_of("inner").sequence_view
    assert view.training_items.tolist() == [0, 1, 2, 3]
    assert view.evaluation_items.tolist() == [4, 5]
    assert view.training_items.dtype == np.int64


def test_a_sequence_is_read_whole_and_in_order() -> None:
    view = view_of("inner").sequence_view
    assert view.read(3).shape == (3, 4, 4, 3)
    assert set(view.read(3).ravel().tolist()) == {ord("B")}
    assert view.frame_numbers(3).tolist() == [1, 2, 3]
    assert view.image_names(2).tolist() == ["B_1_00000001", "B_1_00000002"]
    assert view.lengths([0, 5]).tolist() == [2, 3]
    assert view.apexes([0, 5]).tolist() == [1, 2]
    assert view.labels([1, 0]).tolist() == [1, 0]
    assert view.subjects([5]).tolist() == ["C"]
    assert view.names([5]).tolist() == ["C_2"]


def test_classes_that_the_run_leaves_out_do_not_exist() -> None:
    view = view_of("inner", class_names=("fear",)).sequence_view
    assert view.training_items.tolist() == [1, 3]
    assert view.labels([1]).tolist() == [0]
    with pytest.raises(ValueError, match="sequences of anger have no label"):
        view.labels([0])


ONE = ("read", "frame_numbers", "image_names")
SEVERAL = ("lengths", "apexes", "labels", "subjects", "names")


def ask(view: FoldView, reader: str, item: int) -> Any:
    of_one = getattr(view.sequence_view, reader)
    return of_one(item) if reader in ONE else of_one([0, item])


@pytest.mark.parametrize("reader", [*ONE, *SEVERAL])
@pytest.mark.parametrize("role", ["inner", "final"])
def test_sequences_of_other_subjects_are_refused_always(reader: str, role: str) -> None:
    view = view_of(role, "D")
    for finished in (False, True):
        if finished:
            view.finish_training()
        for item in (6, 7):
            with pytest.raises(LeakageError, match="subjects D neither train nor evaluate"):
                ask(view, reader, item)


@pytest.mark.parametrize("reader", [*ONE, *SEVERAL])
def test_test_sequences_of_a_final_run_are_refused_until_training_has_finished(reader: str) -> None:
    view = view_of("final", "D")
    with pytest.raises(LeakageError, match="before finish_training"):
        view.sequence_view.evaluation_items  # noqa: B018
    for item in (4, 5):
        with pytest.raises(LeakageError, match="subjects C are tested, and training has not finished"):
            ask(view, reader, item)
    view.finish_training()
    assert view.sequence_view.evaluation_items.tolist() == [4, 5]
    assert len(ask(view, reader, 4))


def test_poisoned_test_subjects_are_read_by_nothing_that_training_may_do() -> None:
    view = view_of("final", "C", "D")
    sequences, landmarks = view.sequence_view, view.landmark_view
    for item in sequences.training_items.tolist():
        assert sequences.read(item).size
        assert landmarks.points(sequences.image_names(item)).shape[1:] == (68, 2)
    for item in (4, 7):
        with pytest.raises(LeakageError):
            sequences.read(item)


def test_landmarks_are_guarded_by_the_subject_of_the_named_face() -> None:
    view = view_of("final", "D")
    assert view.landmark_view.points(["A_1_00000001", "B_2_00000003"])[:, 0, 0].tolist() == [65, 66]
    with pytest.raises(LeakageError, match="subjects C are tested"):
        view.landmark_view.points(["A_1_00000001", "C_1_00000001"])
    with pytest.raises(LeakageError, match="subjects D neither"):
        view.landmark_view.points(["D_1_00000001"])
    view.finish_training()
    assert view.landmark_view.points(["C_1_00000001"])[0, 0, 0] == 67


def test_what_was_read_does_not_reach_the_layer() -> None:
    store = layered_store()
    view = FoldView(store, train_subjects=["A"], evaluation_subjects=[], role="inner")
    view.sequence_view.read(0)[:] = 0
    view.landmark_view.points(["A_1_00000001"])[:] = 0
    view.sequence_view.names([0])[:] = "Z"
    assert view.sequence_view.read(0).max() == 65
    assert view.landmark_view.points(["A_1_00000001"]).max() == 65
    assert view.sequence_view.names([0]).tolist() == ["A_1"]


def test_a_prepared_layer_is_read_by_the_subjects_of_the_fold(tmp_path: Path) -> None:
    store = prepare_tiny_sequences(tmp_path, subjects=3)
    view = FoldView(store, train_subjects=["S01", "S03"], evaluation_subjects=["S02"], role="final")
    sequences = view.sequence_view
    assert sequences.training_items.tolist() == [0, 1, 2, 6, 7, 8]
    assert sequences.labels(sequences.training_items).tolist() == [0, 1, 2] * 2
    for item in sequences.training_items.tolist():
        frames = sequences.read(item)
        assert sequences.frame_numbers(item).tolist() == [0, 1, 2]
        name = sequences.names([item])[0]
        rows = [row for row in view.training_rows.tolist() if view.sequences([row])[0] == name]
        np.testing.assert_array_equal(frames[1:], view.read(rows))
    with pytest.raises(LeakageError, match="subjects S02 are tested"):
        sequences.read(3)
    view.finish_training()
    assert sequences.evaluation_items.tolist() == [3, 4, 5]


EIGHT = ("anger", "fear", "neutral")


def test_neutral_is_a_class_where_the_run_says_so() -> None:
    view = view_of("final", class_names=EIGHT)
    assert view.training_rows.tolist() == [0, 1, 2, 3, 4, 5]
    assert view.labels([2, 0]).tolist() == [2, 0]
    assert view.neutral_rows.tolist() == [2, 5]
    with pytest.raises(LeakageError, match="subjects C are tested"):
        view.labels([8])
    view.finish_training()
    assert view.evaluation_rows.tolist() == [6, 7, 8]
    assert view_of("final").training_rows.tolist() == [0, 1, 3, 4]  # without it they are no items


def test_a_store_without_the_layers_says_which_command_adds_them(tmp_path: Path) -> None:
    store = write_records(store_folder(tmp_path, "ckplus", 24))
    view = FoldView(store, train_subjects=["S001"], evaluation_subjects=["S002"], role="final")
    with pytest.raises(UserError, match=r"lacks the layer 'sequences'.*--sequences$"):
        view.sequence_view  # noqa: B018
    with pytest.raises(UserError, match=r"lacks the layer 'landmarks'.*--dense-landmarks$"):
        view.landmark_view  # noqa: B018
    classes = (*store.class_names, "neutral")
    with pytest.raises(UserError, match=r"lacks the layer 'neutral'.*--neutral-class$"):
        FoldView(store, train_subjects=["S001"], evaluation_subjects=[], role="final", class_names=classes)
