"""Motion masks (FMPN, Eq. 1; docs/methods.md, §2.1): mean facial motion of each class."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from datasets.folds.view import FoldView
from platform.errors import UserError

ROWS_AT_ONCE = 64
"""Faces converted to gray at once; bounds the temporary arrays to some tens of MB at 320 pixels."""


def to_gray(images: np.ndarray) -> np.ndarray:
    """RGB uint8 [..., 3] to luma uint8 [...], with the integer arithmetic of PIL's `convert("L")` (ITU-R
    601)."""
    red, green, blue = (images[..., channel].astype(np.uint32) for channel in range(3))
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskSet:
    """One motion mask per class."""

    class_names: tuple[str, ...]
    """Class of each mask; unique."""
    images: np.ndarray
    """uint8 [K, S, S]; 0 where the face moves least, 255 where it moves most."""

    def __post_init__(self) -> None:
        images = self.images
        if len(set(self.class_names)) != len(self.class_names):
            raise ValueError(f"the classes of a mask set must be unique, but got {self.class_names}")
        square = images.ndim == 3 and images.shape[1] == images.shape[2]
        if images.dtype != np.uint8 or not square or len(images) != len(self.class_names):
            raise ValueError(
                f"masks of {len(self.class_names)} classes must be uint8 [K, S, S], "
                f"but got {images.dtype} {list(images.shape)}"
            )

    @property
    def hash(self) -> str:
        """sha256 (64 hex digits) of class names, shape and pixels."""
        header = json.dumps([list(self.class_names), list(self.images.shape)])
        return hashlib.sha256(header.encode() + b"\n" + self.images.tobytes()).hexdigest()


def class_motion_masks(
    gray_expressive: np.ndarray,
    gray_neutral: np.ndarray,
    neutral_of: np.ndarray,
    labels: np.ndarray,
    class_count: int,
) -> np.ndarray:
    """The masks of `class_count` classes, uint8 [K, S, S].

    gray_expressive: uint8 [n, S, S]; gray_neutral: uint8 [m, S, S]; neutral_of: int64 [n], index of the
    neutral face of each expressive one; labels: int64 [n] in [0, K). Absolute difference, mean over all
    images of the class, truncation to 8 bits, `PIL.ImageOps.equalize`, which yields the levels of all 130
    released masks; OpenCV's equalisation does not. Raises ValueError for a class without images.
    """
    size = gray_expressive.shape[1:]
    motion = np.zeros((class_count, *size), dtype=np.int64)
    for face, neutral, label in zip(gray_expressive, neutral_of, labels, strict=True):
        motion[label] += np.abs(face.astype(np.int16) - gray_neutral[neutral])
    image_counts = np.bincount(labels, minlength=class_count)
    if not image_counts.all():
        raise ValueError(f"every class needs an image, but the counts are {image_counts.tolist()}")
    # Integer division truncates the exact mean, so the order of the images cannot change a bit.
    means = (motion // image_counts[:, None, None]).astype(np.uint8)
    return np.stack([np.asarray(ImageOps.equalize(Image.fromarray(mean))) for mean in means])


def build_masks(view: FoldView) -> MaskSet:
    """The masks of all classes of the view, from its training subjects only.

    Raises UserError for a class without training images, and for a training subject with no or several
    neutral faces.
    """
    rows, neutral_rows = view.training_rows, view.neutral_rows
    labels = view.labels(rows)
    for label, name in enumerate(view.class_names):
        if not (labels == label).any():
            raise UserError(
                f"a motion mask needs a training image of its class, but this fold has none of {name!r}; "
                "use another number of folds, or masks of another data set (python -m platform.transfer)."
            )
    neutral_of = _neutral_of(view.subjects(rows).tolist(), view.subjects(neutral_rows).tolist())
    images = class_motion_masks(
        _read_gray(view, rows), _read_gray(view, neutral_rows), neutral_of, labels, len(view.class_names)
    )
    return MaskSet(class_names=view.class_names, images=images)


def select_masks(mask_set: MaskSet, class_names: Sequence[str]) -> MaskSet:
    """The masks of `class_names`, in that order: masks are transferred by class name, never by number.

    Raises UserError, with the classes, if the set lacks a mask.
    """
    missing = sorted(set(class_names) - set(mask_set.class_names))
    if missing:
        raise UserError(
            f"transferred masks must cover every class of the target, but the source lacks "
            f"{', '.join(missing)} and has {', '.join(mask_set.class_names)}; use a source with all classes, "
            "or pass --classes common."
        )
    order = [mask_set.class_names.index(name) for name in class_names]
    return MaskSet(class_names=tuple(class_names), images=mask_set.images[order])


def _neutral_of(subjects: list[str], neutral_subjects: list[str]) -> np.ndarray:
    """int64 [n]: the position of each of `subjects` in `neutral_subjects`, which must contain it once."""
    counts = Counter(neutral_subjects)
    for subject in sorted(set(subjects)):
        if counts[subject] != 1:
            raise UserError(
                f"motion masks need one neutral face per subject, but {subject!r} has {counts[subject]}; "
                "prepare the data set again with a neutral frame of each subject, or use masks of another "
                "data set (python -m platform.transfer)."
            )
    position = {subject: index for index, subject in enumerate(neutral_subjects)}
    return np.array([position[subject] for subject in subjects], dtype=np.int64)


def _read_gray(view: FoldView, rows: np.ndarray) -> np.ndarray:
    """The faces of `rows`, converted to gray: uint8 [n, S, S]."""
    starts = range(0, len(rows), ROWS_AT_ONCE)
    return np.concatenate([to_gray(view.read(rows[start : start + ROWS_AT_ONCE])) for start in starts])
