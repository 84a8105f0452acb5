"""The random draw per image, shared by face, gray face and mask (METHODS §2.5), and crop and flip by it.

Crop and flip run on the images' device. Policies of albumentations transforms (`strong`, a user's own)
come before them, on the CPU: a draw only carries their content and a seed an image (docs/augmentation.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from datasets.augmentation.content import STRONG, is_content
from platform.errors import UserError, unknown_name

CROP_COUNT = 5
CENTRE_CROP = 4
SEED_LIMIT = 2**31
"""Seeds of the transforms are drawn below it."""


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What was drawn for n images."""

    crop: torch.Tensor
    """int64 [n], the five-crop order of torchvision: 0 top left, 1 top right, 2 bottom left,
    3 bottom right, 4 centre."""
    flip: torch.Tensor
    """bool [n]: the crop is mirrored left to right."""
    transforms: str = ""
    """Content of the albumentations transforms that come before the crop; empty: none."""
    seeds: torch.Tensor | None = None
    """int64 [n] in [0, SEED_LIMIT), on the CPU: the randomness of the transforms. None without transforms."""


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


def _draw_transformed(content: str, count: int, generator: torch.Generator) -> Draw:
    """FMPN's draw, after the transforms of `content`, which start from a seed of its own for each image."""
    paper = draw_paper(count, generator)
    seeds = torch.randint(SEED_LIMIT, (count,), generator=generator, device=generator.device)
    return Draw(crop=paper.crop, flip=paper.flip, transforms=content, seeds=seeds.cpu())


POLICIES: dict[str, Policy] = {
    "paper": draw_paper,
    "none": _draw_none,
    "strong": partial(_draw_transformed, STRONG),
}
"""Augmentation of the training images, by name."""


def augmentation_policy(name: str) -> Policy:
    """The policy of that name, or of transforms given by their content; UserError lists the known names."""
    if is_content(name):
        return partial(_draw_transformed, name)
    if name not in POLICIES:
        raise UserError(
            f"{unknown_name('augmentation', name, POLICIES)} One's own is a file of albumentations "
            "transforms whose name ends in .yaml (docs/augmentation.md)."
        )
    return POLICIES[name]


def check_augmentation(name: str, side: int) -> None:
    """Refuse an unknown policy, and transforms that cannot run on faces of `side` x `side` pixels.

    Imports albumentations only for transforms that are the user's own.
    """
    augmentation_policy(name)
    if is_content(name):
        from datasets.augmentation.check import check_transforms

        check_transforms(name, side)


def apply_draw(
    images: torch.Tensor, draw: Draw, crop_size: int, sizes: torch.Tensor | None = None
) -> torch.Tensor:
    """Cut and mirror each image by its draw: [n, C, L, L] of any dtype to [n, C, crop_size, crop_size].

    `sizes`, int64 [n, 2]: each image is the upper left rectangle of that height and width of [n, C, H, W].

    Works on the images' device, in one gather for the whole batch. Equal to torchvision's `five_crop`
    and `hflip` image by image, and to albumentations' `Crop` and `HorizontalFlip`. The transforms of the
    draw are not applied here (`FaceTensors.batch` does). UserError when the crop is larger than the image.
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
    # round(), as torchvision's centre crop does: half to even. Looked up where the draw lies, and sent
    # in one piece: every upload made of a Python list would wait for the device.
    corners = torch.tensor(
        [[0, 0], [0, far], [far, 0], [far, far], [round(far / 2)] * 2], device=draw.crop.device
    )
    return _cut(images, corners[draw.crop], draw, crop_size)


def _corners_of(crop: torch.Tensor, sizes: torch.Tensor, crop_size: int) -> torch.Tensor:
    """int64 [n, 2]: top and left of each image's crop of its own rectangle. UserError: too small a one."""
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
    """The crops with these corners, int64 [n, 2] where the draw lies, mirrored by the draw."""
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
    """`tensor` on `device`; from the CPU to a GPU without waiting for what the GPU still has to do."""
    if tensor.device.type == "cpu" and device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)
