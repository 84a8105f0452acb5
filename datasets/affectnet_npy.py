"""AffectNet's newer layout (docs/methods.md, §6): numbered images, each with a few small `.npy` files."""

from __future__ import annotations

import os
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np

from datasets.affectnet_labels import EXPRESSIONS_WANTED, ListedImage, dense_points, label_of
from datasets.raw.choices import BadItems
from datasets.raw.sources import read_bytes, source_path
from platform.errors import UserError
from platform.files.junk import is_junk

SUBSETS = {"train_set": "", "val_set": "val_"}
"""Folder -> prefix of its images' names, because both folders number images from 0."""
IMAGES, ANNOTATIONS = "images", "annotations"
CODE_FILE, POINTS_FILE = "_exp.npy", "_lnd.npy"


def listed_images(root: Path, bad: BadItems) -> list[ListedImage]:
    """Images with one of the seven expressions: of train_set, then of val_set, sorted by name.

    Whether an image file exists is not checked. Raises UserError for folders outside `root`; `bad` handles
    unreadable label codes.
    """
    images = []
    for subset, prefix in SUBSETS.items():
        annotations = f"{subset}/{ANNOTATIONS}"
        folder = source_path(root, annotations)
        if not folder.is_dir():
            continue
        for name, is_link in sorted((entry.name, entry.is_symlink()) for entry in os.scandir(folder)):
            if is_junk(name) or not name.lower().endswith(CODE_FILE):
                continue
            with bad.guard(f"{annotations}/{name}"):
                # The folder is known to be inside the root, and resolving 300,000 paths is slow.
                path = source_path(root, f"{annotations}/{name}") if is_link else folder / name
                number = name[: -len(CODE_FILE)]
                label = _read_label(path)
                if label in EXPRESSIONS_WANTED:
                    images.append(
                        ListedImage(
                            image_id=prefix + number,
                            label=label,
                            source=f"{subset}/{IMAGES}/{number}.jpg",
                            points=f"{annotations}/{number}{POINTS_FILE}",
                            listed_at=f"{annotations}/{name}",
                        )
                    )
    return images


def label_codes(root: Path) -> Counter[str]:
    """Number of images per label."""
    return Counter(
        _read_label(source_path(root, f"{subset}/{ANNOTATIONS}/{name}"))
        for subset in SUBSETS
        if (root / subset / ANNOTATIONS).is_dir()
        for name in sorted(os.listdir(root / subset / ANNOTATIONS))
        if name.lower().endswith(CODE_FILE) and not is_junk(name)
    )


def read_points(root: Path, image: ListedImage) -> np.ndarray | None:
    """The image's 68 landmarks, float64 (68, 2), pixels; None if it has no landmark file."""
    path = source_path(root, image.points)
    if not path.exists():
        stem = image.points.removesuffix(POINTS_FILE)
        written = (f"{stem}{POINTS_FILE.upper()}", f"{stem}{POINTS_FILE.replace('npy', 'NPY')}")
        if not (others := [name for name in written if (root / name).exists()]):
            return None
        path = source_path(root, others[0])
    array = read_array(path)
    try:
        # Some copies store landmarks as a column, (136, 1), or as text.
        return dense_points(array.squeeze().astype(np.float64))
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: {error}; restore it from your copy of the data set.") from error


def read_array(path: Path) -> np.ndarray:
    """The array in the `.npy` file `path`, of numbers or text.

    Never unpickles: a pickle or an array of objects raises UserError, like any other file that is not a
    complete array.
    """
    content = read_bytes(path)
    try:
        array = np.load(BytesIO(content), allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("it is an archive of arrays")
    # numpy parses the header with Python's tokenizer and parser, which raise many kinds of errors.
    except Exception as error:
        raise UserError(
            f"{path} is not a plain numpy array ({error}); restore it from your copy of the data set."
        ) from error
    return array


def _read_label(path: Path) -> str:
    """The label of an `_exp.npy` file, whose single value is a number or, in some copies, text."""
    array = read_array(path)
    try:
        if array.size != 1:
            raise ValueError(f"it holds {array.size} values, but one code is expected")
        value = array.item()
        return label_of(value.decode("ascii") if isinstance(value, bytes) else str(value))
    except ValueError as error:
        raise UserError(f"{path}: {error}; restore it from your copy of the data set.") from error
