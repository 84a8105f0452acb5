from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from platform.models.masks.quality import (
    MaskQuality,
    average_over_folds,
    constant_distances,
    mask_distances,
    quality_of_distances,
)


def flat(*values: float) -> np.ndarray:
    """A mask of 2 x 2 equal pixels for each value: distances are squares of differences."""
    return np.repeat(np.array(values, dtype=np.float64), 4).reshape(-1, 2, 2)


CLASS_MASKS = flat(0.0, 0.4, 1.0)
COUNTS = np.array([1, 2, 1])  # constant mean mask: (0 + 2 * 0.4 + 1) / 4 = 0.45, nearest to class 1
LABELS = np.array([0, 0, 1, 2])
PREDICTED = flat(0.1, 0.3, 0.5, 0.6)  # nearest to 0, 1, 1, 1
STAGE1 = flat(0.0, 0.1, 0.5, 0.9)  # nearest to 0, 0, 1, 2


def random_case(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        "predicted": random.random((9, 4, 4), dtype=np.float32),
        "labels": random.integers(0, 5, 9),
        "class_masks": random.integers(0, 256, (5, 4, 4)) / 255,
        "training_counts": random.integers(1, 9, 5),
        "stage1_predicted": random.random((9, 4, 4), dtype=np.float32),
    }


def mask_quality(
    predicted: np.ndarray,
    labels: np.ndarray,
    class_masks: np.ndarray,
    training_counts: np.ndarray,
    *,
    stage1_predicted: np.ndarray | None = None,
) -> MaskQuality:
    """`quality_of_distances` of masks [n, S, S]."""
    before = drift = None
    if stage1_predicted is not None:
        before = mask_distances(stage1_predicted, class_masks)
        drift = np.square(predicted - stage1_predicted.astype(np.float64)).mean(axis=(1, 2))
    return quality_of_distances(
        mask_distances(predicted, class_masks),
        labels,
        constant_distances(class_masks, training_counts),
        stage1_distances=before,
        drift=drift,
    )


def values(quality: MaskQuality) -> dict[str, Any]:
    return pytest.approx(quality.to_dict(), abs=1e-12)


def test_every_number_as_computed_by_hand() -> None:
    quality = mask_quality(PREDICTED, LABELS, CLASS_MASKS, COUNTS, stage1_predicted=STAGE1)
    assert quality.to_dict() == pytest.approx(
        {
            "face_count": 4,
            "class_count": 3,
            "error": (0.1**2 + 0.3**2 + 0.1**2 + 0.4**2) / 4,
            "constant_error": (0.45**2 + 0.45**2 + 0.05**2 + 0.55**2) / 4,
            "nearest_share": 2 / 4,
            "constant_nearest_share": 1 / 4,
            "chance_level": 1 / 3,
            "stage1_error": (0.0 + 0.1**2 + 0.1**2 + 0.1**2) / 4,
            "stage1_nearest_share": 4 / 4,
            "drift": (0.1**2 + 0.2**2 + 0.0 + 0.3**2) / 4,
            "error_change": (0.27 - 0.03) / 4,
            "nearest_share_change": -2 / 4,
        }
    )


def test_distances_are_means_of_squares_over_pixels() -> None:
    mask = np.array([[[0.0, 1.0], [0.5, 0.0]]])
    face = np.array([[[1.0, 1.0], [0.0, 0.0]]])
    assert mask_distances(face, mask).tolist() == [[(1 + 0.25) / 4]]


def test_predicting_the_own_class_mask_is_perfect_and_predicting_the_mean_is_the_constant() -> None:
    perfect = mask_quality(CLASS_MASKS[LABELS], LABELS, CLASS_MASKS, COUNTS)
    assert (perfect.error, perfect.nearest_share) == (0.0, 1.0)
    constant = mask_quality(flat(0.45, 0.45, 0.45, 0.45), LABELS, CLASS_MASKS, COUNTS)
    assert constant.error == pytest.approx(constant.constant_error)
    assert constant.nearest_share == constant.constant_nearest_share


def test_no_constant_mask_has_a_lower_error_on_faces_spread_like_the_training_images() -> None:
    case = random_case(1)
    labels = np.repeat(np.arange(5), case["training_counts"])
    best = mask_quality(
        np.repeat(case["predicted"][:1], len(labels), axis=0),
        labels,
        case["class_masks"],
        case["training_counts"],
    )
    assert best.constant_error < best.error
    middle = (np.average(case["class_masks"], axis=0, weights=case["training_counts"]) * 0.99)[None]
    near = np.repeat(middle, len(labels), axis=0)
    assert (
        mask_quality(near, labels, case["class_masks"], case["training_counts"]).error > best.constant_error
    )


def test_without_a_stage_1_there_is_nothing_to_compare_with() -> None:
    quality = mask_quality(PREDICTED, LABELS, CLASS_MASKS, COUNTS)
    found = quality.to_dict()
    absent = {"stage1_error", "stage1_nearest_share", "drift", "error_change", "nearest_share_change"}
    assert {name for name, value in found.items() if value is None} == absent


def test_equal_masks_share_a_face_between_them() -> None:
    quality = mask_quality(flat(0.1, 0.1), np.array([0, 2]), flat(0.0, 1.0, 0.0), np.array([1, 1, 1]))
    assert quality.nearest_share == 0.5  # a coin between two equal masks, both times
    # Half of a third and of two thirds: rounding alone must not choose the constant's class either.
    between = mask_quality(flat(0.0), np.array([1]), flat(1 / 3, 2 / 3), np.array([7, 7]))
    assert between.constant_nearest_share == 0.5


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_order_of_the_faces_changes_nothing(seed: int) -> None:
    case, order = random_case(seed), np.random.default_rng(seed).permutation(9)
    shuffled = {name: case[name][order] for name in ("predicted", "labels", "stage1_predicted")}
    assert mask_quality(**{**case, **shuffled}) == mask_quality(**case)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_order_of_the_classes_changes_nothing(seed: int) -> None:
    case, order = random_case(seed), np.random.default_rng(seed).permutation(5)
    renamed = {
        "class_masks": case["class_masks"][order],
        "training_counts": case["training_counts"][order],
        "labels": np.argsort(order)[case["labels"]],
    }
    assert mask_quality(**{**case, **renamed}).to_dict() == values(mask_quality(**case))


def test_a_quality_comes_back_from_json() -> None:
    for quality in (mask_quality(**random_case(0)), mask_quality(PREDICTED, LABELS, CLASS_MASKS, COUNTS)):
        assert MaskQuality.from_dict(json.loads(json.dumps(quality.to_dict()))) == quality


def test_the_mean_over_folds_counts_each_fold_the_same() -> None:
    large = mask_quality(PREDICTED, LABELS, CLASS_MASKS, COUNTS, stage1_predicted=STAGE1)
    small = mask_quality(flat(1.0), LABELS[3:], CLASS_MASKS, COUNTS, stage1_predicted=flat(0.8))
    mean = average_over_folds([large, small])
    assert mean.face_count == 5
    assert mean.class_count == 3
    assert mean.error == pytest.approx(large.error / 2)
    assert mean.nearest_share == pytest.approx((0.5 + 1.0) / 2)
    assert mean.drift == pytest.approx((large.drift + 0.2**2) / 2)  # type: ignore[operator]
    without = mask_quality(PREDICTED, LABELS, CLASS_MASKS, COUNTS)
    assert average_over_folds([large, without]).drift is None
    with pytest.raises(ValueError, match="at least one fold"):
        average_over_folds([])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicted": flat(0.1, 0.3, 0.5, 1.1)}, r"predicted masks must be in \[0, 1\]"),
        ({"predicted": flat(0.1, 0.3, 0.5, np.nan)}, r"predicted masks must be in \[0, 1\]"),
        ({"class_masks": flat(0, 102, 255)}, r"class masks must be in \[0, 1\]"),
        ({"predicted": np.zeros((4, 3, 3))}, "must be .*S of the class masks"),
        ({"predicted": PREDICTED[:3]}, r"finite \[4, 3\]"),
        ({"labels": np.array([0, 1, 2, 3])}, "from 0 to 2"),
        ({"labels": np.array([0, 1, 2, -1])}, "from 0 to 2"),
        ({"labels": np.array([0.0, 1.0, 2.0, 0.0])}, "integers"),
        ({"training_counts": np.array([1, 2])}, "3 numbers"),
        ({"training_counts": np.zeros(3, dtype=int)}, "not all 0"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, np.ndarray], message: str) -> None:
    good = {
        "predicted": PREDICTED,
        "labels": LABELS,
        "class_masks": CLASS_MASKS,
        "training_counts": COUNTS,
    }
    mask_quality(**good)
    with pytest.raises(ValueError, match=message):
        mask_quality(**{**good, **change})


def test_distances_and_drift_of_stage_1_come_together() -> None:
    distances, constant = mask_distances(PREDICTED, CLASS_MASKS), constant_distances(CLASS_MASKS, COUNTS)
    with pytest.raises(ValueError, match="belong together"):
        quality_of_distances(distances, LABELS, constant, stage1_distances=distances)
    with pytest.raises(ValueError, match="drift must be 4 finite"):
        quality_of_distances(distances, LABELS, constant, stage1_distances=distances, drift=np.zeros(3))


@pytest.mark.parametrize("constant", [np.zeros((3, 1)), np.array([0.1, np.nan, 0.2])])
def test_distances_of_the_constant_mask_are_one_finite_number_a_class(constant: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"constant mask must be finite \[K\]"):
        quality_of_distances(mask_distances(PREDICTED, CLASS_MASKS), LABELS, constant)
