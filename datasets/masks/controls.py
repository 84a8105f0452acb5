"""Control masks, which carry no information on the classes or that of another class.

If a network performs as well with a control as with the data set's own masks, the gain comes from the extra
branch and not from the prior. Controls have the size and the classes of the masks that they replace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from datasets.masks.motion_masks import MaskSet
from platform.errors import unknown_name

CONTROLS = ("permuted", "uniform", "centre", "random")
"""`permuted`: each class has the mask of the next class; `uniform`: one gray level; `centre`: one round blob;
`random`: a smooth random field per class, the same in all folds."""

WITHOUT_MASKS = ("uniform", "centre", "random")
"""Controls made from class names and size alone: they need neither motion masks nor neutral faces."""

UNIFORM_GRAY = 128
"""About the mean of an equalised mask (docs/methods.md, §2.1: 119 to 126)."""

RANDOM_CELLS = 6
"""Random values along a side of the smooth field: its details are as coarse as those of a motion mask."""


def control_masks(control: str, masks: MaskSet) -> MaskSet:
    """The control masks that replace `masks`: uint8 [K, S, S], with the same classes and size.

    `centre` and `random` are equalised like motion masks, so that only the locations differ. Deterministic.
    Raises UserError for an unknown control.
    """
    if control == "permuted":
        return MaskSet(class_names=masks.class_names, images=np.roll(masks.images, -1, axis=0))
    return drawn_masks(control, masks.class_names, masks.images.shape[1])


def drawn_masks(control: str, class_names: Sequence[str], size_pixels: int) -> MaskSet:
    """The masks of a control in WITHOUT_MASKS: uint8 [K, S, S].

    Deterministic. Raises UserError for an unknown control, ValueError for one that is made from motion masks.
    """
    if control not in CONTROLS:
        raise unknown_name("mask control", control, CONTROLS)
    if control not in WITHOUT_MASKS:
        raise ValueError(f"the control {control!r} is made from motion masks")
    if control == "uniform":
        images = np.full((len(class_names), size_pixels, size_pixels), UNIFORM_GRAY, np.uint8)
    elif control == "centre":
        images = np.repeat(_equalised(_blob(size_pixels))[None], len(class_names), axis=0)
    else:
        images = np.stack([_equalised(_smooth_noise(name, size_pixels)) for name in class_names])
    return MaskSet(class_names=tuple(class_names), images=images)


def _blob(size_pixels: int) -> Image.Image:
    """A centred Gaussian whose standard deviation is a quarter of the side."""
    place = (np.arange(size_pixels) + 0.5) / size_pixels - 0.5
    squared = place[:, None] ** 2 + place[None, :] ** 2
    return Image.fromarray((255 * np.exp(-squared / (2 * 0.25**2))).astype(np.uint8))


def _smooth_noise(name: str, size_pixels: int) -> Image.Image:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    cells = np.random.Generator(np.random.PCG64(seed)).integers(
        0, 256, (RANDOM_CELLS, RANDOM_CELLS), dtype=np.uint8
    )
    return Image.fromarray(cells).resize((size_pixels, size_pixels), Image.Resampling.BICUBIC)


def _equalised(image: Image.Image) -> np.ndarray:
    return np.asarray(ImageOps.equalize(image))
