"""Random draws per image, shared by face, gray face and mask (docs/methods.md, §2.5), with crop and flip.

Crop and flip run on the device of the images. Policies with albumentations transforms (`strong` and the
user's) run before them, on the CPU: a draw holds only their content and a seed per image
(docs/augmentation.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from datasets.augmentation.content import STRONG, check_name, is_content
from platform.errors import UserError

CROP_COUNT = 5
CENTRE_CROP = 4
SEED_LIMIT = 2**31
"""Upper limit, exclusive, of the seeds of transforms."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """The random draws for n images."""

    crop: torch.Tensor
    """int64 [n], in the order of torchvision's five crops: 0 top left, 1 top right, 2 bottom left,
    3 bottom right, 4 centre."""
    flip: torch.Tensor
    """bool [n]: whether the crop is flipped left to right."""
    transforms: str = ""
    """Content of the albumentations transforms applied before the crop; empty: none."""
    seeds: torch.Tensor | None = None
    """int64 [n] in [0, SEED_LIMIT), on the CPU: seeds of the transforms. None without transforms."""


Policy = Callable[[int, torch.Generator], Draw]
"""Draws for a number of images from a generator."""


def draw_paper(count: int, generator: torch.Generator) -> Draw:
    """FMPN's training draw: one of the five crops uniformly, flipped with probability 0.5."""
    device = generator.device
    return Draw(
        crop=torch.randint(CROP_COUNT, (count,), generator=generator, device=device),
        flip=torch.rand(count, generator=generator, device=device) < 0.5,
    )


def centre_draw(count: int) -> Draw:
    """The centre crop without flip: for every test image, and for training without augmentation."""
    return Draw(crop=torch.full((count,), CENTRE_CROP), flip=torch.zeros(count, dtype=torch.bool))


def _draw_none(count: int, generator: torch.Generator) -> Draw:
    return centre_draw(count)


def _draw_transformed(content: str, count: int, generator: torch.Generator) -> Draw:
    """FMPN's draw, preceded by the transforms of `content` with a seed per image."""
    paper = draw_paper(count, generator)
    seeds = torch.randint(SEED_LIMIT, (count,), generator=generator, device=generator.device)
    return Draw(crop=paper.crop, flip=paper.flip, transforms=content, seeds=seeds.cpu())


POLICIES: dict[str, Policy] = {
    "paper": draw_paper,
    "none": _draw_none,
    "strong": partial(_draw_transformed, STRONG),
}
"""Augmentation policies of training images, by name."""


def augmentation_policy(name: str) -> Policy:
    """The policy with that name or content. Raises UserError, with the known names, for an unknown one."""
    if is_content(name):
        return partial(_draw_transformed, name)
    check_name(name)
    return POLICIES[name]


def apply_draw(
    images: torch.Tensor, draw: Draw, crop_size: int, sizes: torch.Tensor | None = None
) -> torch.Tensor:
    """Crop and flip each image by its draw: [n, C, L, L] of any dtype to [n, C, crop_size, crop_size].

    `sizes`, int64 [n, 2]: each image is the upper left rectangle of that height and width in [n, C, H, W].

    Runs on the device of the images, in one gather for the whole batch. Equal to torchvision's `five_crop`
    and `hflip` of each image, and to albumentations' `Crop` and `HorizontalFlip`. Transforms of the draw are
    applied by `FaceTensors.batch`, not here. Raises UserError if the crop is larger than the image.
    """
    side, width = images.shape[2:]
    if sizes is not None:
        return _cut(images, _corners_of(draw.crop, sizes.to(draw.crop.device), crop_size), draw, crop_size)
    if side != width or not 1 <= crop_size <= side:
        raise UserError(
            f"1 <= crop size <= image size must hold, but got a crop of {crop_size} from {side}x{width} "
            "pixels; use a smaller input size or prepare larger images."
        )
    far = side - crop_size
    # round(), half to even, as in torchvision's centre crop. Looked up on the draw's device and copied at
    # once, because every copy of a Python list would block on the device.
    corners = torch.tensor(
        [[0, 0], [0, far], [far, 0], [far, far], [round(far / 2)] * 2], device=draw.crop.device
    )
    return _cut(images, corners[draw.crop], draw, crop_size)


def _corners_of(crop: torch.Tensor, sizes: torch.Tensor, crop_size: int) -> torch.Tensor:
    """int64 [n, 2]: top and left of the crop in each image's rectangle. Raises UserError if one is too
    small."""
    if not 1 <= crop_size <= int(sizes.min()):
        raise UserError(
            f"1 <= crop size <= image size must hold, but got a crop of {crop_size} from a side of "
            f"{int(sizes.min())} pixels; use a smaller input size or prepare larger images."
        )
    far = sizes - crop_size
    is_far = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1], [0, 0]], device=crop.device)[crop]
    centre = torch.round(far / 2).long()  # half to even, as torchvision's centre crop
    return torch.where(crop[:, None] == CENTRE_CROP, centre, far * is_far)


def _cut(images: torch.Tensor, corners: torch.Tensor, draw: Draw, crop_size: int) -> torch.Tensor:
    """The crops at these corners, int64 [n, 2] on the draw's device, flipped by the draw."""
    count, channels, side, width = images.shape
    places = torch.cat([corners, draw.flip[:, None].long()], dim=1)
    tops, lefts, flip = send(places, images.device).unbind(1)
    steps = torch.arange(crop_size, device=images.device)
    rows = tops[:, None] + steps
    columns = lefts[:, None] + torch.where(flip[:, None] == 1, crop_size - 1 - steps, steps)
    pixels = (rows[:, :, None] * width + columns[:, None, :]).reshape(count, 1, crop_size * crop_size)
    cut = images.reshape(count, channels, side * width).gather(2, pixels.expand(-1, channels, -1))
    return cut.reshape(count, channels, crop_size, crop_size)


def send(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """`tensor` on `device`; the copy from the CPU to a GPU does not block."""
    if tensor.device.type == "cpu" and device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
