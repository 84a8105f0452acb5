"""FMPN's released motion masks, fold by fold, and their correlation with our own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from datasets.fmpn_release import read_released_masks, released_folds
from datasets.folds.rules import Fold
from datasets.masks.motion_masks import MaskSet
from datasets.raw.image_key import image_key
from platform.errors import UserError


def released_mask_set(folder: Path, fold: int, class_names: Sequence[str], size_pixels: int) -> MaskSet:
    """The released masks of fold number `fold`, uint8 [K, S, S], in the order of `class_names`.

    Files of another size are resized bilinearly, as in FMPN's loader. Raises UserError, with the class, if a
    mask is missing.
    """
    found = read_released_masks(folder, fold, class_names)
    images = [
        np.asarray(Image.fromarray(found[name]).resize((size_pixels, size_pixels), Image.Resampling.BILINEAR))
        for name in class_names
    ]
    return MaskSet(class_names=tuple(class_names), images=np.stack(images))


def check_same_folds(folder: Path, folds: Sequence[Fold]) -> None:
    """Raises UserError unless the release's lists test the same subjects in each fold as `folds`.

    A released mask is made from the training subjects of its fold. With other folds, it would contain our
    test subjects.
    """
    released = released_folds(folder)
    if len(released) != len(folds):
        raise UserError(
            f"{folder} has {len(released)} folds, but the plan has {len(folds)}; "
            f"pass --folds {len(released)}."
        )
    for fold, (_, test_names) in zip(folds, released, strict=True):
        theirs = {image_key(name)[0].split("_")[0] for name in test_names}
        differing = sorted(theirs ^ set(fold.test_subjects))
        if differing:
            raise UserError(
                f"released masks need the release's own folds, but fold {fold.index} of {folder} and of the "
                f"plan differ in the test subjects {', '.join(differing[:5])}; prepare exactly the frames of "
                "the release (prepare --frames), or use --masks own."
            )


def correlation_by_class(first: MaskSet, second: MaskSet) -> dict[str, float]:
    """Pearson correlation, in [-1, 1], over the pixels of each class's two masks, which must have equal size.
    Classes in only one of the sets are left out; NaN for a constant mask."""
    result = {}
    for name in first.class_names:
        if name in second.class_names:
            pair = [one.images[one.class_names.index(name)].ravel() for one in (first, second)]
            flat = any(mask.min() == mask.max() for mask in pair)
            result[name] = float("nan") if flat else float(np.corrcoef(*pair)[0, 1])
    return result
