from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from datasets.augmentation.content import STRONG, canonical_content
from datasets.augmentation.transforms import FaceTransforms, library
from platform.errors import UserError

SIDE = 48
GEOMETRY = canonical_content(json.loads(STRONG)[:1])
PHOTOMETRY = canonical_content(json.loads(STRONG)[1:])


def noise(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    face = random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    return face, random.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)


def test_the_strong_policy_is_one_geometric_transform_and_photometric_ones() -> None:
    assert list(json.loads(GEOMETRY)[0]) == ["Affine"]
    assert "Affine" not in PHOTOMETRY


def test_geometry_moves_face_and_mask_alike_to_the_pixel() -> None:
    transforms = FaceTransforms(GEOMETRY)
    _, mask = noise()
    moved = 0
    for seed in range(30):
        face, moved_mask = transforms(np.repeat(mask[..., None], 3, axis=2), mask, seed)
        assert moved_mask is not None
        for channel in range(3):
            np.testing.assert_array_equal(face[..., channel], moved_mask)
        moved += bool((moved_mask != mask).any())
    assert 15 < moved < 30  # p is 0.8


def test_photometric_changes_and_holes_never_touch_the_mask() -> None:
    transforms = FaceTransforms(PHOTOMETRY)
    face, mask = noise()
    changed, holes = 0, 0
    for seed in range(40):
        made, made_mask = transforms(face, mask, seed)
        np.testing.assert_array_equal(made_mask, mask)
        changed += bool((made != face).any())
        holes += bool((made == 0).all(axis=2).sum() > 4)
    assert 25 < changed < 40
    assert 3 < holes < 25


@pytest.mark.parametrize("content", [STRONG, canonical_content(["ElasticTransform", "RandomRain"])])
def test_a_seed_decides_the_bytes_whatever_came_before_and_with_or_without_a_mask(content: str) -> None:
    face, mask = noise()
    kept = face.copy(), mask.copy()
    busy, fresh = FaceTransforms(content), FaceTransforms(content)
    made = [busy(face, mask, seed) for seed in (1, 2, 3)]
    for seed, (face_then, mask_then) in zip((3, 1), (made[2], made[0]), strict=True):
        face_now, mask_now = fresh(face, mask, seed)
        np.testing.assert_array_equal(face_now, face_then)
        np.testing.assert_array_equal(mask_now, mask_then)
        without_mask, none = fresh(face, None, seed)
        np.testing.assert_array_equal(without_mask, face_then)
        assert none is None
    assert len({pair[0].tobytes() for pair in made}) > 1
    np.testing.assert_array_equal(face, kept[0])
    np.testing.assert_array_equal(mask, kept[1])


def test_the_process_random_state_does_not_matter() -> None:
    import random

    face, mask = noise()
    made = []
    for seed in (0, 1):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        made.append(FaceTransforms(STRONG)(face, mask, 5)[0])
    np.testing.assert_array_equal(made[0], made[1])


def applied(content: str, seed: int) -> tuple[str, ...]:
    """Which of two flips a seed applies, seen on a picture with one bright corner."""
    face = np.zeros((8, 8, 3), np.uint8)
    face[0, 0] = 255
    made, _ = FaceTransforms(content)(face, None, seed)
    row, column = np.argwhere(made[..., 0] == 255)[0]
    return tuple(name for name, there in (("down", row == 7), ("right", column == 7)) if there)


def test_transforms_of_the_same_p_are_drawn_independently() -> None:
    content = canonical_content(["HorizontalFlip", "VerticalFlip"])
    counts = Counter(applied(content, seed) for seed in range(200))
    assert len(counts) == 4
    assert all(25 < count < 75 for count in counts.values())  # 50 each; sigma is 6


def test_albumentations_own_seeding_draws_them_together() -> None:
    """Why `set_random_seed` is not used. When this fails, albumentations has changed."""
    albumentations = library()
    pipeline = albumentations.Compose([albumentations.HorizontalFlip(), albumentations.VerticalFlip()])
    face = np.zeros((8, 8, 3), np.uint8)
    face[0, 0] = 255
    corners = set()
    for seed in range(40):
        pipeline.set_random_seed(seed)
        corners.add(tuple(np.argwhere(pipeline(image=face)["image"][..., 0] == 255)[0].tolist()))
    assert corners == {(0, 0), (7, 7)}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"Resize": {"height": 9, "width": 9, "p": 1}}, r"keep the image uint8 \[48, 48, 3\], but made it"),
        ({"ToFloat": {"p": 1}}, "float32"),
    ],
)
def test_a_changed_size_or_type_is_refused_while_training_too(entry: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        FaceTransforms(canonical_content([entry]))(*noise(), 0)
