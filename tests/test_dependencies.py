"""What the lock file must keep true of the libraries, found out once (docs/log.md)."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pytest


def test_one_opencv_owns_cv2() -> None:
    installed = {distribution.metadata["Name"].lower() for distribution in importlib.metadata.distributions()}
    assert {name for name in installed if name.startswith("opencv")} == {"opencv-python-headless"}


def test_albumentations_moves_image_gray_and_mask_together() -> None:
    import albumentations

    pipeline = albumentations.Compose(
        [
            albumentations.RandomCrop(48, 48),
            albumentations.HorizontalFlip(p=0.5),
            # 0 is nearest-neighbour sampling: pixels keep their values, so equality is exact.
            albumentations.Affine(rotate=(-10, 10), p=1.0, interpolation=0, mask_interpolation=0),
        ],
        additional_targets={"gray": "image", "motion_mask": "mask"},
        seed=1,
    )
    plane = np.random.default_rng(0).integers(1, 256, (64, 64), dtype=np.uint8)
    image = np.repeat(plane[..., None], 3, axis=2)
    outcomes = [pipeline(image=image, gray=image.copy(), motion_mask=plane) for _ in range(8)]
    for outcome in outcomes:
        assert outcome["image"].shape == (48, 48, 3)
        np.testing.assert_array_equal(outcome["gray"], outcome["image"])
        np.testing.assert_array_equal(outcome["motion_mask"], outcome["image"][..., 0])
    assert any((outcome["image"] != outcomes[0]["image"]).any() for outcome in outcomes[1:])


def test_albumentations_repeats_itself_from_a_seed() -> None:
    import albumentations

    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)

    def first_three(seed: int) -> list[np.ndarray]:
        steps = [albumentations.RandomCrop(48, 48), albumentations.RandomBrightnessContrast(p=1.0)]
        pipeline = albumentations.Compose(steps, seed=seed)
        return [pipeline(image=image)["image"] for _ in range(3)]

    np.testing.assert_array_equal(first_three(7), first_three(7))
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(first_three(7), first_three(8))
