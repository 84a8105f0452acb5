from __future__ import annotations

import numpy as np
import pytest

from platform.errors import UserError
from platform.evaluation import metrics
from platform.evaluation.predictions import Predictions
from platform.evaluation.reported.fmpn_paper import RELEASED_FOLD_ACCURACIES, RELEASED_TEST_SIZES


def correct_and_folds(accuracies: tuple[float, ...], sizes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    correct = [
        np.arange(size) < round(accuracy * size) for accuracy, size in zip(accuracies, sizes, strict=True)
    ]
    return np.concatenate(correct), np.repeat(np.arange(len(sizes)), sizes)


@pytest.mark.parametrize(("dataset", "mean", "pooled"), [("ckplus", 98.06, 98.17), ("mmi", 82.74, 80.13)])
def test_the_released_folds_give_the_published_and_the_pooled_accuracy(
    dataset: str, mean: float, pooled: float
) -> None:
    """docs/methods.md, §1: the paper prints the mean of folds, and pooling gives another number."""
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


def test_scores_of_classes_by_hand() -> None:
    true = np.array(["a", "a", "b", "c"])
    predicted = np.array(["a", "b", "b", "b"])
    a, b, c = metrics.class_scores(true, predicted, ("a", "b", "c"))
    assert (a.precision, a.recall, a.f1) == (1, 0.5, pytest.approx(2 / 3))
    assert (b.precision, b.recall, b.f1) == (pytest.approx(1 / 3), 1, pytest.approx(0.5))
    # c is never predicted: it has no precision, and its F1 counts as 0.
    assert (c.precision, c.recall, c.f1) == (None, 0, 0)
    assert [(score.true_count, score.predicted_count) for score in (a, b, c)] == [(2, 1), (1, 3), (1, 0)]
    assert metrics.macro_f1((a, b, c)) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_macro_f1_leaves_out_a_class_that_is_never_true() -> None:
    # a: precision 1, recall 1/2. The answer c costs a's recall, and is no class of its own.
    a, c = metrics.class_scores(np.array(["a", "a"]), np.array(["a", "c"]), ("a", "c"))
    assert (c.recall, c.f1, c.precision) == (None, None, 0)
    assert metrics.macro_f1((a, c)) == pytest.approx(2 / 3)


def test_one_class_alone_is_scored() -> None:
    (only,) = metrics.class_scores(np.array(["a", "a"]), np.array(["a", "a"]), ("a",))
    assert (only.precision, only.recall, only.f1) == (1, 1, 1)


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


@pytest.mark.parametrize(
    ("scores", "mean_score", "majority"),
    [
        ([[0.4, 0.6], [0.45, 0.55], [0.95, 0.05]], "anger", "fear"),  # two weak votes, one strong one
        ([[0.4, 0.6], [0.9, 0.1]], "anger", "anger"),  # one vote each: the mean score decides
        ([[0.1, 0.9], [0.6, 0.4]], "fear", "fear"),
        ([[0.75, 0.25], [0.25, 0.75]], "anger", "anger"),  # all is tied: the first class
    ],
)
def test_a_majority_counts_images_and_a_mean_weighs_them(
    scores: list[list[float]], mean_score: str, majority: str
) -> None:
    count = len(scores)
    predictions = three_frames(scores, ["A"] * count, ["anger"] * count)
    assert metrics.sequence_predictions(predictions).predicted.tolist() == [mean_score]
    assert metrics.sequence_predictions(predictions, "majority").predicted.tolist() == [majority]


def test_a_vote_does_not_depend_on_the_order_of_images() -> None:
    frames = [[0.4, 0.6], [0.45, 0.55], [0.95, 0.05], [0.3, 0.7]]
    names, labels = ["B", "B", "B", "A"], ["anger"] * 3 + ["fear"]
    forward = metrics.sequence_predictions(three_frames(frames, names, labels))
    backward = metrics.sequence_predictions(three_frames(frames[::-1], names[::-1], labels[::-1]))
    assert forward.sequence.tolist() == backward.sequence.tolist() == ["A", "B"]
    assert forward.predicted.tolist() == backward.predicted.tolist()


def test_a_sequence_with_two_labels_is_refused() -> None:
    with pytest.raises(UserError, match=r"'true'.*'A'"):
        metrics.sequence_predictions(three_frames([[1, 0], [1, 0]], ["A", "A"], ["anger", "fear"]))


def test_confusion_rows_are_the_true_classes() -> None:
    true = np.array(["a", "a", "a", "b"])
    predicted = np.array(["a", "b", "b", "b"])
    counts = metrics.confusion_counts(true, predicted, ("a", "b", "c"))
    assert counts.tolist() == [[1, 2, 0], [0, 1, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="b"):
        metrics.confusion_counts(true, predicted, ("a",))
