from __future__ import annotations

import numpy as np
import pytest

from platform.evaluation import metrics
from platform.evaluation.predictions import Predictions
from platform.evaluation.reported import RELEASED_FOLD_ACCURACIES, RELEASED_TEST_SIZES


def correct_and_folds(accuracies: tuple[float, ...], sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    correct = [
        np.arange(size) < round(accuracy * size) for accuracy, size in zip(accuracies, sizes, strict=True)
    ]
    return np.concatenate(correct), np.repeat(np.arange(len(sizes)), sizes)


@pytest.mark.parametrize(("dataset", "mean", "pooled"), [("ckplus", 98.06, 98.17), ("mmi", 82.74, 80.13)])
def test_the_released_folds_give_the_published_and_the_pooled_accuracy(
    dataset: str, mean: float, pooled: float
) -> None:
    """METHODS section 1: the paper prints the mean of folds, and pooling gives another number."""
    correct, fold = correct_and_folds(RELEASED_FOLD_ACCURACIES[dataset], RELEASED_TEST_SIZES[dataset])
    accuracies = metrics.fold_accuracies(correct, fold)
    np.testing.assert_allclose(list(accuracies.values()), RELEASED_FOLD_ACCURACIES[dataset], atol=5e-4)
    assert 100 * metrics.mean_of_folds(accuracies) == pytest.approx(mean, abs=0.01)
    assert 100 * metrics.pooled_accuracy(correct) == pytest.approx(pooled, abs=0.005)


def test_by_hand_folds_of_one_and_three_images() -> None:
    correct = np.array([True, True, False, False])
    fold = np.array([7, 2, 2, 2])
    accuracies = metrics.fold_accuracies(correct, fold)
    assert accuracies == {2: pytest.approx(1 / 3), 7: 1.0}
    assert list(accuracies) == [2, 7]
    assert metrics.mean_of_folds(accuracies) == pytest.approx(2 / 3)
    assert metrics.pooled_accuracy(correct) == 0.5
    # deviations are -1/3 and 1/3: sqrt((1/9 + 1/9) / 1)
    assert metrics.fold_standard_deviation(accuracies) == pytest.approx((2 / 9) ** 0.5)
    assert metrics.fold_standard_deviation({0: 0.5}) is None


def test_nothing_has_no_accuracy() -> None:
    with pytest.raises(ValueError):
        metrics.mean_of_folds({})
    with pytest.raises(ValueError):
        metrics.pooled_accuracy(np.array([], dtype=bool))


def test_macro_f1_by_hand() -> None:
    true = np.array(["a", "a", "b", "c"])
    predicted = np.array(["a", "b", "b", "b"])
    # a: precision 1, recall 1/2, F1 2/3. b: precision 1/3, recall 1, F1 1/2. c: never predicted, 0.
    assert metrics.macro_f1(true, predicted) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_macro_f1_leaves_out_a_class_that_is_never_true() -> None:
    # a: precision 1, recall 1/2. The answer c costs a's recall, and is no class of its own.
    assert metrics.macro_f1(np.array(["a", "a"]), np.array(["a", "c"])) == pytest.approx(2 / 3)


def three_frames(scores: list[list[float]], sequence: list[str], true: list[str]) -> Predictions:
    count = len(sequence)
    names = np.array(["anger", "fear"])
    array = np.array(scores, dtype=np.float32)
    return Predictions(
        dataset=np.array(["synthetic"] * count),
        fold=np.zeros(count, dtype=np.int64),
        subject=np.array([name[0] for name in sequence]),
        sequence=np.array(sequence),
        image=np.array([f"{name}_{index}" for index, name in enumerate(sequence)]),
        true=np.array(true),
        predicted=names[array.argmax(axis=1)],
        scores=array,
        class_names=("anger", "fear"),
    )


def test_a_sequence_is_voted_by_its_mean_scores() -> None:
    # Two of A's frames answer fear by little, one answers anger by much: the mean is anger.
    predictions = three_frames(
        [[0.4, 0.6], [0.45, 0.55], [0.95, 0.05], [0.3, 0.7]], ["A", "A", "A", "B"], ["anger"] * 3 + ["fear"]
    )
    voted = metrics.sequence_predictions(predictions)
    assert voted.sequence.tolist() == ["A", "B"]
    assert voted.image.tolist() == ["A", "B"]
    assert voted.predicted.tolist() == ["anger", "fear"]
    np.testing.assert_allclose(voted.scores, [[0.6, 0.4], [0.3, 0.7]], rtol=1e-6)
    assert metrics.pooled_accuracy(predictions.correct) == 0.5
    assert metrics.pooled_accuracy(voted.correct) == 1.0


def test_a_sequence_with_two_labels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'A'.*'true'"):
        metrics.sequence_predictions(three_frames([[1, 0], [1, 0]], ["A", "A"], ["anger", "fear"]))


def test_confusion_rows_are_the_true_classes() -> None:
    true = np.array(["a", "a", "a", "b"])
    predicted = np.array(["a", "b", "b", "b"])
    counts = metrics.confusion_counts(true, predicted, ("a", "b", "c"))
    assert counts.tolist() == [[1, 2, 0], [0, 1, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="b"):
        metrics.confusion_counts(true, predicted, ("a",))
