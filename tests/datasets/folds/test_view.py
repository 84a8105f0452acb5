from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from datasets.folds.view import FoldView
from platform.errors import LeakageError, UserError

# Rows: each of A, B, C, D has an anger, a fear and a neutral face.
SUBJECTS = np.repeat(["A", "B", "C", "D"], 3)


def small_store() -> Any:
    """Twelve faces of 4 x 4 pixels; every pixel of row r has the value r."""
    images = np.broadcast_to(np.arange(12, dtype=np.uint8)[:, None, None, None], (12, 4, 4, 3)).copy()
    return SimpleNamespace(
        images=images,
        subjects=SUBJECTS,
        sequences=np.array([f"{subject}_1" for subject in SUBJECTS]),
        expressions=np.array(["anger", "fear", "neutral"] * 4),
        roles=np.array(["expressive", "expressive", "neutral"] * 4),
        image_names=np.array([f"image{row}" for row in range(12)]),
        class_names=("anger", "fear"),
    )


def view_of(role: Any, store: Any = None) -> FoldView:
    """A and B train, C is evaluated, D belongs to neither."""
    return FoldView(
        small_store() if store is None else store,
        train_subjects=["A", "B"],
        evaluation_subjects=["C"],
        role=role,
    )


def test_rows_are_by_subject_and_role() -> None:
    view = view_of("inner")
    assert view.training_rows.tolist() == [0, 1, 3, 4]
    assert view.neutral_rows.tolist() == [2, 5]
    assert view.evaluation_rows.tolist() == [6, 7]
    assert view.training_rows.dtype == np.int64


def test_reading_gives_the_faces_in_the_order_asked() -> None:
    faces = view_of("inner").read([4, 0, 6])
    assert faces.shape == (3, 4, 4, 3)
    assert faces.dtype == np.uint8
    assert faces[:, 0, 0, 0].tolist() == [4, 0, 6]
    assert view_of("inner").read([]).shape == (0, 4, 4, 3)


def test_labels_and_names_of_rows() -> None:
    view = view_of("inner")
    assert view.labels([1, 0, 7]).tolist() == [1, 0, 1]
    assert view.labels([1]).dtype == np.int64
    assert view.subjects([1, 7]).tolist() == ["A", "C"]
    assert view.sequences([7]).tolist() == ["C_1"]
    assert view.image_names([7, 2]).tolist() == ["image7", "image2"]
    with pytest.raises(ValueError, match="rows of neutral have no label"):
        view.labels([2])


READERS = ("read", "labels", "subjects", "sequences", "image_names")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("role", ["inner", "final"])
@pytest.mark.parametrize("finished", [False, True])
def test_other_subjects_are_refused_always(reader: str, role: str, finished: bool) -> None:
    view = view_of(role)
    if finished:
        view.finish_training()
    for row in (9, 10, 11):
        with pytest.raises(LeakageError, match="subjects D neither train nor evaluate"):
            getattr(view, reader)([0, row])


@pytest.mark.parametrize("reader", READERS)
def test_test_rows_of_a_final_run_are_refused_until_training_has_finished(reader: str) -> None:
    view = view_of("final")
    with pytest.raises(LeakageError, match="before finish_training"):
        view.evaluation_rows  # noqa: B018
    for row in (6, 7, 8):
        with pytest.raises(LeakageError, match="subjects C are tested, and training has not finished"):
            getattr(view, reader)([0, row])
    view.finish_training()
    assert view.evaluation_rows.tolist() == [6, 7]
    assert len(getattr(view, reader)([6, 0])) == 2


def test_the_store_cannot_be_reached_or_changed_through_what_was_read() -> None:
    store = small_store()
    view = view_of("inner", store)
    for read in (view.read([0, 1]), view.subjects([0, 1])):
        assert read.base is None
    view.read([0])[:] = 99
    view.subjects([0])[:] = "Z"
    assert view.read([0]).max() == 0
    assert store.subjects[0] == "A"


def test_only_the_asked_rows_are_read_from_the_store() -> None:
    class Spy:
        asked: list[int] = []  # noqa: RUF012

        def __getitem__(self, rows: np.ndarray) -> np.ndarray:
            self.asked += rows.tolist()
            return np.zeros((len(rows), 4, 4, 3), dtype=np.uint8)

    store = small_store()
    store.images = Spy()
    view = view_of("final", store)
    view.read(view.training_rows)
    with pytest.raises(LeakageError):
        view.read([0, 6])
    assert store.images.asked == [0, 1, 3, 4]


@pytest.mark.parametrize("rows", [[-1], [12], [0, 99]])
def test_rows_outside_the_store_are_refused(rows: list[int]) -> None:
    with pytest.raises(IndexError, match="0 <= row < 12"):
        view_of("inner").read(rows)


@pytest.mark.parametrize("rows", [np.ones(12, dtype=bool), np.array([0.0]), np.array([[0]])])
def test_rows_must_be_integers_in_one_dimension(rows: np.ndarray) -> None:
    with pytest.raises(TypeError, match="rows must be integers"):
        view_of("inner").read(rows)


def test_overlap_cannot_be_viewed() -> None:
    with pytest.raises(LeakageError, match="subjects B both train and evaluate"):
        FoldView(small_store(), train_subjects=["A", "B"], evaluation_subjects=["B"], role="inner")


def test_bad_views_are_named() -> None:
    store: Any = small_store()
    wrong_role: Any = "finl"
    with pytest.raises(UserError, match="unknown fold role 'finl'; did you mean 'final'"):
        FoldView(store, train_subjects=["A"], evaluation_subjects=["B"], role=wrong_role)
    with pytest.raises(UserError, match="it has no X, Y"):
        FoldView(store, train_subjects=["A", "X"], evaluation_subjects=["Y"], role="inner")
    with pytest.raises(UserError, match="at least one training image"):
        FoldView(store, train_subjects=[], evaluation_subjects=["B"], role="inner")


def test_a_view_may_train_only() -> None:
    view = FoldView(small_store(), train_subjects=["A"], evaluation_subjects=[], role="final")
    assert view.training_rows.tolist() == [0, 1]
