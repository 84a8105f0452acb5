"""AffectNet, in the older layout with CSV files or the newer one with `.npy` files (docs/methods.md, §6).

The content of the folder decides which layout applies. The older layout supplies the images that
training.csv and validation.csv list (or other CSV files with the same columns, but never the automatically
annotated images), the newer one those of train_set and val_set. A missing list, part or label is an error.
The adapter keeps images of CK+'s seven expressions: all of them, or a seeded random sample per class.
AffectNet has neither subjects nor sequences: each image counts as its own subject, and no face is a neutral
reference.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from datasets import affectnet_csv, affectnet_npy
from datasets.affectnet_files import (
    NPY_LAYOUT,
    check_annotations,
    check_lists,
    csv_layout,
    images_there,
    unlisted,
)
from datasets.affectnet_labels import EXPRESSIONS_WANTED, ListedImage
from datasets.alignment.similarity import five_points_from_68
from datasets.raw.accounting import account_for
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.frame_selection import check_all_found
from datasets.raw.sources import found_in, read_image, require_folder, source_path, visible_names
from datasets.records import DatasetDescription, FrameRecord
from platform.errors import UserError

DATASET = DatasetDescription(
    name="affectnet",
    title="AffectNet",
    request_from=(
        "AffectNet is requested from Mohammad Mahoor's group at the University of Denver, "
        "by the agreement on its site, mohammadmahoor.com."
    ),
    native_layout=(
        f"{affectnet_csv.IMAGES}/1/<name>.jpg with training.csv and validation.csv, "
        "or train_set/images/0.jpg and train_set/annotations/0_exp.npy, 0_lnd.npy (and val_set)"
    ),
    no_sequences="each of its images is a photograph of another moment",
)


class _Layout(Protocol):
    """The interface of both layouts."""

    def listed_images(self, root: Path, bad: BadItems) -> list[ListedImage]:
        """Images with one of the seven expressions."""

    def label_codes(self, root: Path) -> Counter[str]:
        """Number of images per label code."""

    def read_points(self, root: Path, image: ListedImage) -> np.ndarray | None:
        """The image's 68 landmarks, float64 (68, 2), pixels; None if it has none."""


def label_codes(root: Path) -> Counter[str]:
    """Number of images per label, by the meaning of its code."""
    return _layout_in(root).label_codes(root)


def recognises(root: Path) -> bool:
    """Whether `root` has AffectNet's layout, judged by its folders and a few file names."""
    old = (root / "Manually_Annotated_Images").is_dir()
    return old or any((root / part / "annotations").is_dir() for part in ("train_set", "val_set"))


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """The selected images, sorted by path: all, those in `choices.frames`, or `choices.per_class` per class.

    `landmarks` is None for images without landmarks. An image counts as frame 0 of a sequence of its own
    name. Raises UserError that names the invalid file and line; `bad` may leave that image out instead, and
    a sample is then smaller by one.
    """
    choices.refuse(DATASET.title, "whole_sequences")
    bad = bad or BadItems()
    layout = _layout_in(root)
    if layout is affectnet_csv:
        account, named = account_for(root, csv_layout(root), bad), set[str]()
        check_lists(root, account, bad)
        listed = affectnet_csv.listed_images(root, bad, named)
        bad.beside += unlisted(account, named)
    else:
        account = account_for(root, NPY_LAYOUT, bad)
        check_annotations(root, account, bad)
        listed = affectnet_npy.listed_images(root, bad)
    images = sorted(listed, key=lambda image: image.source)
    if not images:
        raise UserError(
            f"{root} lists no image of {', '.join(sorted(EXPRESSIONS_WANTED))}; "
            "restore AffectNet's labels from your copy."
        )
    records = []
    for image in images_there(root, _chosen(images, choices, root), account, bad):
        with bad.guard(image.source):
            source_path(root, image.source)
            points = layout.read_points(root, image)
            records.append(
                FrameRecord(
                    subject_id=image.image_id,
                    sequence_id=image.image_id,
                    frame=0,
                    expression=image.label,
                    role="expressive",
                    source=image.source,
                    landmarks=None if points is None else five_points_from_68(points),
                )
            )
    check_all_found(choices, records, root, bad)
    return records


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """The image, uint8 (H, W, 3), RGB."""
    return read_image(source_path(root, record.source))


def dense_landmarks(root: Path, record: FrameRecord) -> np.ndarray | None:
    """The image's 68 landmarks, float64 (68, 2), in its pixels; None if it has none."""
    return _layout_in(root).read_points(root, _listed_in(root)[record.source])


@lru_cache(maxsize=1)
def _listed_in(root: Path) -> dict[str, ListedImage]:
    """The images listed in `root` by their source, read once for the landmarks of all."""
    return {image.source: image for image in _layout_in(root).listed_images(root, BadItems(skip=True))}


def draw_images(images: Sequence[ListedImage], per_class: int, seed: int) -> list[ListedImage]:
    """A random sample of `per_class` images per label, without replacement, in the order of `images`.

    The sample of a label depends only on the label's images, their order and `seed`. Every label must have
    enough images.
    """
    drawn: set[int] = set()
    for label in {image.label for image in images}:
        candidates = np.array([index for index, image in enumerate(images) if image.label == label])
        key = int.from_bytes(hashlib.sha256(label.encode()).digest()[:8], "big")
        random = np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, key))))
        shuffled = candidates[np.argsort(random.random(len(candidates)), kind="stable")]
        drawn.update(shuffled[:per_class].tolist())
    return [images[index] for index in sorted(drawn)]


def _chosen(images: Sequence[ListedImage], choices: Choices, root: Path) -> Sequence[ListedImage]:
    """The images selected by `choices`; `images` are sorted by path."""
    if choices.per_class is None:
        choices.refuse(f"{DATASET.title} without --per-class", "draw_seed")
        if choices.frames is None:
            return images
        return [image for image in images if (image.image_id, 0) in choices.frames]
    choices.refuse(f"{DATASET.title} together with --per-class", "frames")
    counts = {
        expression: sum(image.label == expression for image in images)
        for expression in sorted(EXPRESSIONS_WANTED)
    }
    fewest = min(counts, key=lambda expression: counts[expression])
    if not 1 <= choices.per_class <= counts[fewest]:
        raise UserError(
            f"--per-class must lie in 1 to {counts[fewest]}, the images of the smallest class, {fewest}, in "
            f"{root}, but got {choices.per_class}; pass --per-class {max(1, counts[fewest])}, "
            "or add the images that are missing."
        )
    if choices.draw_seed < 0:
        raise UserError(f"--draw-seed must be 0 or more, but got {choices.draw_seed}; pass --draw-seed 0.")
    return draw_images(images, choices.per_class, choices.draw_seed)


def _layout_in(root: Path) -> _Layout:
    """The layout of `root`. Raises UserError if it has neither or both."""
    require_folder(root)
    has_csv, has_npy = _holds_csv_layout(root), _holds_npy_layout(root)
    if has_csv and has_npy:
        raise UserError(
            f"{root} holds AffectNet in both layouts, {affectnet_csv.IMAGES} and train_set or val_set; "
            "move one of them into a folder of its own, and pass that."
        )
    if has_csv:
        return affectnet_csv
    if has_npy:
        return affectnet_npy
    raise UserError(
        f"{root} is not a folder in one of AffectNet's layouts: expected {affectnet_csv.IMAGES}/ and "
        f"training.csv, or train_set/ and val_set/ with {affectnet_npy.IMAGES}/ and "
        f"{affectnet_npy.ANNOTATIONS}/, "
        f"found {found_in(root)}; {_right_folder(root)}."
    )


def _holds_csv_layout(folder: Path) -> bool:
    return (folder / affectnet_csv.IMAGES).is_dir()


def _holds_npy_layout(folder: Path) -> bool:
    return any((folder / subset / affectnet_npy.ANNOTATIONS).is_dir() for subset in affectnet_npy.SUBSETS)


def _right_folder(root: Path) -> str:
    """The remedy for a wrong `root`, which is often one folder too high or too low."""
    near = [
        *root.absolute().parents[:2],
        *(root / name for name in visible_names(root) if (root / name).is_dir()),
    ]
    for folder in near:
        if _holds_csv_layout(folder) or _holds_npy_layout(folder):
            return f"pass --source {folder}"
    return "pass --source the folder that holds these"
