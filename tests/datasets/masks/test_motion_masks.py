from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from datasets.folds.view import FoldView
from datasets.masks.motion_masks import MaskSet, build_masks, class_motion_masks, select_masks, to_gray
from platform.errors import UserError

RELEASED = Path(__file__).parents[2] / "data" / "ckplus_released_masks"


def test_gray_is_pils_luma() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 61, 47, 3), dtype=np.uint8)
    for image, gray in zip(images, to_gray(images), strict=True):
        np.testing.assert_array_equal(gray, np.asarray(Image.fromarray(image).convert("L")))


def test_gray_of_black_white_and_primaries() -> None:
    # 255 * (19595, 38470, 7471) / 65536, rounded: 76, 150, 29.
    colours = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]], dtype=np.uint8)
    assert to_gray(colours).tolist() == [0, 255, 76, 150, 29]


def flat(*values: int) -> np.ndarray:
    """Faces of 32 x 32 pixels: each value fills its equal band of rows."""
    return np.repeat(np.array(values, dtype=np.uint8), 1024 // len(values)).reshape(32, 32)


def test_hand_computed_mask() -> None:
    # Class 0: |10-0|, |20-0|, |30-0|, |90-0| in quarters, and the same motion the other way round with
    # another neutral face: mean (10, 20, 30, 90). Class 1: one image, motion (5, 5, 0, 0).
    neutrals = np.stack([flat(0), flat(100)])
    faces = np.stack([flat(10, 20, 30, 90), flat(90, 80, 70, 10), flat(105, 95, 100, 100)])
    masks = class_motion_masks(faces, neutrals, np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
    # PIL: 256 pixels a level; step = (1024 - 256) // 255 = 3; level = (3 // 2 + pixels below) // 3.
    assert np.unique(masks[0]).tolist() == [1 // 3, 257 // 3, 513 // 3, 255]
    np.testing.assert_array_equal(masks[0], flat(0, 85, 171, 255))
    # step = (1024 - 512) // 255 = 2: still lower rows 0, upper rows (1 + 512) // 2 = 256, cut to 255.
    np.testing.assert_array_equal(masks[1], flat(255, 255, 0, 0))


def test_the_mean_is_cut_off_to_8_bit_not_rounded() -> None:
    # Means 1.5 and 1 become one level, and one level is left as it is; rounding would keep two.
    faces = np.stack([flat(1, 1), flat(2, 1)])
    masks = class_motion_masks(faces, flat(0)[None], np.array([0, 0]), np.array([0, 0]), 1)
    np.testing.assert_array_equal(masks[0], flat(1))


def test_the_order_of_the_images_changes_nothing() -> None:
    generator = np.random.default_rng(1)
    faces = generator.integers(0, 256, (30, 20, 20), dtype=np.uint8)
    neutrals = generator.integers(0, 256, (5, 20, 20), dtype=np.uint8)
    neutral_of, labels = generator.integers(0, 5, 30), np.arange(30) % 3
    order = generator.permutation(30)
    np.testing.assert_array_equal(
        class_motion_masks(faces, neutrals, neutral_of, labels, 3),
        class_motion_masks(faces[order], neutrals, neutral_of[order], labels[order], 3),
    )


def test_every_class_needs_an_image() -> None:
    with pytest.raises(ValueError, match=r"counts are \[1, 0\]"):
        class_motion_masks(flat(3)[None], flat(0)[None], np.array([0]), np.array([0]), 2)


RELEASED_FILES = sorted(RELEASED.glob("*/*.png"))


@pytest.mark.parametrize("file", RELEASED_FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_motion_in_the_order_of_a_released_mask_gives_its_very_levels(file: Path) -> None:
    with Image.open(file) as image:
        mode, released = image.mode, np.asarray(image)
    assert (mode, released.shape, released.min(), released.max()) == ("L", (70, 70), 0, 255)
    motion = np.unique(released, return_inverse=True)[1].reshape(70, 70).astype(np.uint8)
    # PIL leaves the brightest level out of its step. Its size in the source is lost where levels merged
    # at 255, so one pixel of it is told apart: that gives the step of 19 that all released masks show.
    brightest = np.argmax(motion)
    motion.flat[brightest] += 1
    neutral = np.zeros((1, 70, 70), dtype=np.uint8)
    (mask,) = class_motion_masks(motion[None], neutral, np.array([0]), np.array([0]), 1)
    np.testing.assert_array_equal(mask, released)
    assert not np.array_equal(cv2.equalizeHist(motion), released)


def test_released_contempt_masks_show_that_only_training_subjects_enter() -> None:
    # Contempt is tested in folds 0 and 1 only, so folds 2 to 9 train on the same contempt images.
    contempt = [(RELEASED / str(fold) / "1.png").read_bytes() for fold in range(10)]
    assert len(set(contempt[2:])) == 1
    assert len({contempt[0], contempt[1], contempt[2]}) == 3


def face_store(seed: int = 0) -> Any:
    """Subjects A, B, C: an anger, a fear and a neutral face each, 24 x 24 pixels of noise."""
    return SimpleNamespace(
        images=np.random.default_rng(seed).integers(0, 256, (9, 24, 24, 3), dtype=np.uint8),
        subjects=np.repeat(["A", "B", "C"], 3),
        sequences=np.repeat(["A_1", "B_1", "C_1"], 3),
        expressions=np.array(["anger", "fear", "neutral"] * 3),
        roles=np.array(["expressive", "expressive", "neutral"] * 3),
        image_names=np.array([f"image{row}" for row in range(9)]),
        class_names=("anger", "fear"),
    )


def masks_of(store: Any, train: tuple[str, ...] = ("A", "B")) -> MaskSet:
    return build_masks(FoldView(store, train_subjects=train, evaluation_subjects=["C"], role="inner"))


def test_built_masks_pair_each_face_with_its_own_subjects_neutral_face() -> None:
    store = face_store()
    gray = to_gray(store.images)
    expected = class_motion_masks(
        gray[[0, 1, 3, 4]], gray[[2, 5]], np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), 2
    )
    built = masks_of(store)
    assert built.class_names == ("anger", "fear")
    np.testing.assert_array_equal(built.images, expected)


def test_poisoned_evaluation_subjects_leave_the_masks_bit_identical() -> None:
    store, poisoned = face_store(), face_store()
    poisoned.images[6:] = 255 - poisoned.images[6:]
    assert masks_of(store).hash == masks_of(poisoned).hash
    poisoned.images[0] = 255 - poisoned.images[0]
    assert masks_of(store).hash != masks_of(poisoned).hash


def test_the_other_frames_of_whole_sequences_reach_neither_masks_nor_rows() -> None:
    """Rows of role `context`, as `--whole-sequences` stores them, before each row of fear."""
    store, context = face_store(), [1, 4, 7]
    longer = SimpleNamespace(
        **{
            name: np.insert(values, context, values[context], axis=0) if name != "class_names" else values
            for name, values in vars(store).items()
        }
    )
    added = np.array(context) + np.arange(3)
    longer.images[added] = 255 - longer.images[added]
    longer.roles[added] = "context"
    without, within = (
        FoldView(one, train_subjects=["A", "B"], evaluation_subjects=["C"], role="inner")
        for one in (store, longer)
    )
    for rows in ("training_rows", "neutral_rows", "evaluation_rows"):
        expected = without.image_names(getattr(without, rows)).tolist()
        assert within.image_names(getattr(within, rows)).tolist() == expected
    assert not np.isin(within.training_rows, added).any()
    assert build_masks(within).hash == build_masks(without).hash


def test_a_class_without_a_training_image_is_named() -> None:
    store = face_store()
    store.expressions[[1, 4]] = "anger"
    with pytest.raises(UserError, match="this fold has none of 'fear'"):
        masks_of(store)


@pytest.mark.parametrize(("row", "role", "count"), [(5, "expressive", 0), (4, "neutral", 2)])
def test_a_subject_without_exactly_one_neutral_face_is_named(row: int, role: str, count: int) -> None:
    store = face_store()
    store.roles[row] = role
    store.expressions[5] = "fear"
    with pytest.raises(UserError, match=f"'B' has {count}"):
        masks_of(store)


def three_masks() -> MaskSet:
    images = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    return MaskSet(class_names=("anger", "contempt", "fear"), images=images)


def test_masks_are_transferred_by_class_name() -> None:
    transferred = select_masks(three_masks(), ["fear", "anger"])
    assert transferred.class_names == ("fear", "anger")
    np.testing.assert_array_equal(transferred.images, three_masks().images[[2, 0]])


def test_a_class_that_cannot_be_transferred_is_named() -> None:
    with pytest.raises(UserError, match=r"lacks disgust, surprise and has anger, contempt, fear"):
        select_masks(three_masks(), ["surprise", "anger", "disgust"])


def test_the_hash_covers_names_shape_and_pixels() -> None:
    images = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)
    sets = [
        MaskSet(class_names=("anger",), images=images),
        MaskSet(class_names=("fear",), images=images),
        MaskSet(class_names=("anger",), images=images + np.uint8(1)),
        MaskSet(class_names=("a", "b", "c", "d"), images=images.reshape(4, 2, 2)),
    ]
    assert len({mask_set.hash for mask_set in sets}) == 4
    assert MaskSet(class_names=("anger",), images=images.copy()).hash == sets[0].hash


@pytest.mark.parametrize(
    ("class_names", "images"),
    [
        (("a", "a"), np.zeros((2, 4, 4), np.uint8)),
        (("a",), np.zeros((2, 4, 4), np.uint8)),
        (("a",), np.zeros((1, 4, 5), np.uint8)),
        (("a",), np.zeros((1, 4, 4), np.float32)),
    ],
)
def test_a_mask_set_is_checked(class_names: tuple[str, ...], images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be"):
        MaskSet(class_names=class_names, images=images)
