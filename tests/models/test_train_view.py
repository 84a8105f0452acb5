"""What `fit` may see: training subjects, and splits of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets.folds.view import FoldView
from platform.models.train_view import TrainView
from tests.tiny_faces import CLASSES, subject_names, tiny_store
from tests.tiny_sequences import prepare_tiny_sequences

TRAIN = subject_names(8)[:6]


@pytest.fixture
def train() -> TrainView:
    store = tiny_store(8)
    return TrainView(
        FoldView(store, train_subjects=TRAIN, evaluation_subjects=subject_names(8)[6:], role="final")
    )


def test_it_holds_the_training_subjects_and_nothing_else(train: TrainView) -> None:
    assert set(train.subjects.tolist()) == set(TRAIN)
    assert len(train.images) == len(train.labels) == len(train.subjects) == 6 * 2 * len(CLASSES)
    assert train.class_names == CLASSES
    assert not any(hasattr(train, name) for name in ("evaluation_rows", "finish_training", "read"))


def test_a_poisoned_test_subject_changes_nothing_of_it(train: TrainView) -> None:
    store = tiny_store(8)
    store.images[np.isin(store.subjects, subject_names(8)[6:])] = 255
    other = TrainView(
        FoldView(store, train_subjects=TRAIN, evaluation_subjects=subject_names(8)[6:], role="final")
    )
    assert np.array_equal(other.images, train.images)
    assert np.array_equal(other.labels, train.labels)


def test_its_splits_never_divide_a_subject_and_validate_every_image_once(train: TrainView) -> None:
    validated = []
    for training, validating in train.parts(3, seed=1):
        assert not set(train.subjects[training]) & set(train.subjects[validating])
        assert len(training) + len(validating) == len(train.labels)
        validated += validating.tolist()
    assert sorted(validated) == list(range(len(train.labels)))


def test_splits_follow_their_seed(train: TrainView) -> None:
    first, same = ([v.tolist() for _, v in train.parts(3, seed=seed)] for seed in (1, 1))
    assert first == same


def test_train_view_reads_the_training_sequences_alone(tmp_path: Path) -> None:
    store = prepare_tiny_sequences(tmp_path, subjects=4, frames=3)
    train = TrainView(
        FoldView(store, train_subjects=["S01", "S03"], evaluation_subjects=["S02"], role="final")
    ).sequences
    assert len(train) == len(train.labels) == len(train.subjects) == 6
    assert set(train.subjects.tolist()) == {"S01", "S03"}
    assert train.lengths.tolist() == [4] * 6
    assert train.apexes.shape == (6,)
    assert train.read(0).shape == (4, 34, 34, 3)
    with pytest.raises(IndexError):
        train.read(6)
    for training, validating in train.parts(2, seed=0):
        assert not set(train.subjects[training]) & set(train.subjects[validating])
