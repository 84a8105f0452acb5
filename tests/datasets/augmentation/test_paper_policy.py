"""The device path of `paper` against its definition in albumentations, pixel for pixel."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch

from datasets.augmentation.draw import Draw
from datasets.augmentation.transforms import library
from datasets.batches import FaceTensors
from datasets.masks.motion_masks import to_gray

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def paper_in_albumentations(side: int, crop_size: int) -> Any:
    """FMPN's augmentation (docs/methods.md, §2.5): one of five crops with p 1/5 each, a mirror with p 1/2."""
    albumentations = library()
    crops = [
        albumentations.Crop(x_min=left, y_min=top, x_max=left + crop_size, y_max=top + crop_size, p=1)
        for top, left in corners(side, crop_size)
    ]
    return albumentations.Compose(
        [albumentations.OneOf(crops, p=1), albumentations.HorizontalFlip(p=0.5)],
        additional_targets={"gray": "image"},
        save_applied_params=True,
    )


def corners(side: int, crop_size: int) -> list[tuple[int, int]]:
    """Top and left of the five crops in torchvision's order, which is the draw's."""
    far, middle = side - crop_size, round((side - crop_size) / 2)
    return [(0, 0), (0, far), (far, 0), (far, far), (middle, middle)]


def drawn_by(applied: list[tuple[str, dict[str, Any]]], side: int, crop_size: int) -> tuple[int, bool]:
    """Number of the crop and the flip that albumentations says it applied."""
    parameters = dict(applied)
    left, top, _, _ = parameters["Crop"]["crop_coords"]
    return corners(side, crop_size).index((top, left)), "HorizontalFlip" in parameters


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("side", "crop_size"), [(52, 48), (33, 24), (320, 299)])
def test_the_device_path_equals_the_definition_for_the_same_draw(
    device: str, side: int, crop_size: int
) -> None:
    count = 40
    pixels = np.random.default_rng(0)
    images = pixels.integers(0, 256, (4, side, side, 3), dtype=np.uint8)
    masks = pixels.integers(0, 256, (3, side, side), dtype=np.uint8)
    labels, rows = np.array([2, 0, 1, 2]), np.arange(count) % 4
    definition = paper_in_albumentations(side, crop_size)
    expected, draws = [], []
    for place, row in enumerate(rows):
        definition.set_random_state(np.random.default_rng(place), random.Random(place))
        made = definition(image=images[row], gray=to_gray(images[row]), mask=masks[labels[row]])
        expected.append(made)
        draws.append(drawn_by(made["applied_transforms"], side, crop_size))
    assert len(set(draws)) == 10  # every crop, mirrored and not
    draw = Draw(
        crop=torch.tensor([crop for crop, _ in draws]), flip=torch.tensor([flip for _, flip in draws])
    )
    batch = FaceTensors(images, labels, masks, device).batch(torch.from_numpy(rows), draw, crop_size)
    assert batch.target_mask is not None
    for place, made in enumerate(expected):
        for tensor, picture in (
            (batch.image, made["image"].transpose(2, 0, 1)),
            (batch.gray, made["gray"][None]),
            (batch.target_mask, made["mask"][None]),
        ):
            found = (tensor[place].cpu() * 255).round().to(torch.uint8).numpy()
            np.testing.assert_array_equal(found, picture)
