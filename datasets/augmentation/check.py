"""Trial application of albumentations transforms before a run."""

from __future__ import annotations

import json
import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from datasets.augmentation.content import check_name, is_content
from datasets.augmentation.transforms import COMPOSITIONS, FaceTransforms, entries_of
from platform.errors import UserError

TRIALS = 3
"""Number of seeds that each transform is tried with: a random size shows within the first few."""


def check_augmentation(name: str, side: int) -> None:
    """Raises UserError for an unknown policy and for transforms that cannot run on faces of `side` x `side`
    pixels.

    Imports albumentations only for transforms of the user.
    """
    if is_content(name):
        check_transforms(name, side)
    else:
        check_name(name)


@lru_cache(maxsize=16)
def check_transforms(content: str, side: int) -> None:
    """Raises UserError for a content with transforms that are unknown, misused or unsuitable for face and
    mask.

    Each transform is applied on its own to a face of `side` x `side` pixels, with and without its mask: size
    and type must not change, and the face must not depend on the mask, which some methods do not have. The
    error names the transform, the problem and the remedy.
    """
    FaceTransforms(content)
    for place, name, arguments in entries_of(content):
        for alone in _alone(name, arguments):
            _try_out(place, alone, side)


def _alone(name: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The transforms of an entry, each to be applied on its own with p 1; a Sequential counts as one."""
    if name == "Sequential" or name not in COMPOSITIONS:
        return [{name: {**arguments, "p": 1.0}}]
    return [
        alone
        for entry in arguments["transforms"]
        for inner, values in ({entry: None} if isinstance(entry, str) else entry).items()
        for alone in _alone(inner, values or {})
    ]


def _try_out(place: str, entry: dict[str, Any], side: int) -> None:
    (name,) = entry
    where = place if f"({name})" in place else f"{place}, {name}"
    transforms = FaceTransforms(json.dumps([entry]))
    pixels = np.random.default_rng(0)
    face = pixels.integers(0, 256, (side, side, 3), dtype=np.uint8)
    mask = pixels.integers(0, 256, (side, side), dtype=np.uint8)
    for seed in range(TRIALS):
        try:
            # A warning would repeat with every image, so its text is the reason to refuse.
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with_mask, _ = transforms(face, mask, seed)
                without_mask, _ = transforms(face, None, seed)
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
        except Exception as error:
            raise UserError(
                f"{where}: it fails on a face of {side}x{side} pixels with a motion mask "
                f"({' '.join(str(error).split()) or type(error).__name__}); change or remove it."
            ) from error
        if not np.array_equal(with_mask, without_mask):
            raise UserError(
                f"{where}: its effect on the face depends on the motion mask, which reveals the class; "
                "remove it."
            )
