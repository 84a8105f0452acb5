"""Crop and flip: one random draw per image, shared by face, gray face and mask (METHODS §2.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from platform.errors import UserError, unknown_name

CROP_COUNT = 5
CENTRE_CROP = 4


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What was drawn for n images."""

    crop: torch.Tensor
    """int64 [n], the five-crop order of torchvision: 0 top left, 1 top right, 2 bottom left,
    3 bottom right, 4 centre."""
    flip: torch.Tensor
    """bool [n]: the crop is mirrored left to right."""


Policy = Callable[[int, torch.Generator], Draw]
"""From a number of images and a generator to their draw."""


def draw_paper(count: int, generator: torch.Generator) -> Draw:
    """FMPN's training draw: one of the five crops uniformly, mirrored with probability 0.5."""
    device = generator.device
    return Draw(
        crop=torch.randint(CROP_COUNT, (count,), generator=generator, device=device),
        flip=torch.rand(count, generator=generator, device=device) < 0.5,
    )


def centre_draw(count: int) -> Draw:
    """The centre crop, not mirrored: for every test image, and for training without augmentation."""
    return Draw(crop=torch.full((count,), CENTRE_CROP), flip=torch.zeros(count, dtype=torch.bool))


def _draw_none(count: int, generator: torch.Generator) -> Draw:
    return centre_draw(count)


POLICIES: dict[str, Policy] = {"paper": draw_paper, "none": _draw_none}
"""Augmentation of the training images, by name."""


def augmentation_policy(name: str) -> Policy:
    """The policy of that name; UserError lists the known ones."""
    if name not in POLICIES:
        raise unknown_name("augmentation", name, POLICIES)
    return POLICIES[name]


def apply_draw(images: torch.Tensor, draw: Draw, crop_size: int) -> torch.Tensor:
    """Cut and mirror each image by its draw: [n, C, L, L] of any dtype to [n, C, crop_size, crop_size].

    Works on the images' device, in one gather for the whole batch. Equal to torchvision's `five_crop`
    and `hflip` image by image. UserError when the crop is larger than the image.
    """
    count, channels, side, width = images.shape
    if side != width or not 1 <= crop_size <= side:
        raise UserError(
            f"1 <= crop size <= image size must hold, but got a crop of {crop_size} from {side}x{width} "
            "pixels; use a smaller input size or prepare larger images."
        )
    crop, flip = draw.crop.to(images.device), draw.flip.to(images.device)
    far = side - crop_size
    # round(), as torchvision's centre crop does: half to even.
    tops = torch.tensor([0, 0, far, far, round(far / 2)], device=images.device)[crop]
    lefts = torch.tensor([0, far, 0, far, round(far / 2)], device=images.device)[crop]
    steps = torch.arange(crop_size, device=images.device)
    rows = tops[:, None] + steps
    columns = lefts[:, None] + torch.where(flip[:, None], crop_size - 1 - steps, steps)
    pixels = (rows[:, :, None] * side + columns[:, None, :]).reshape(count, 1, crop_size * crop_size)
    cut = images.reshape(count, channels, side * side).gather(2, pixels.expand(-1, channels, -1))
    return cut.reshape(count, channels, crop_size, crop_size)
