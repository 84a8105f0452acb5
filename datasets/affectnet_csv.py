"""AffectNet's older layout (docs/methods.md, §6): folders of images, listed with labels in CSV files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

import numpy as np

from datasets.affectnet_labels import EXPRESSIONS_WANTED, ListedImage, dense_points, label_of
from datasets.raw.choices import BadItems
from datasets.raw.sources import RESTORE, found_in, source_path, visible_names
from platform.errors import UserError
from platform.files.names import with_slashes
from platform.files.tables import Table, read_table

IMAGES = "Manually_Annotated_Images"
LIST_FOLDERS = ("", "Manually_Annotated_file_lists/")
"""Folders searched for CSV files, relative to the root; the first that contains any is used."""
STANDARD_LISTS = ("training.csv", "validation.csv")
OTHER_IMAGES = "automatic"
"""Prefix of the lists of AffectNet's automatically annotated images."""

PATH, POINTS, CODE = "subDirectory_filePath", "facial_landmarks", "expression"
COLUMNS = (PATH, POINTS, CODE)
"""The columns read; others are ignored."""
NO_POINTS = ("", "null")
"""Cell values for images without landmarks."""


def listed_images(root: Path, bad: BadItems, named: set[str] | None = None) -> list[ListedImage]:
    """Images with one of the seven expressions, in the order of the lists.

    Adds the sources of all images, whatever their label, to `named`; whether their files exist is not
    checked. Raises UserError for an unreadable list; `bad` handles invalid lines and lines that list an image
    again. An image listed with conflicting labels is not used at all.
    """
    images: dict[str, ListedImage] = {}
    conflicting: set[str] = set()
    for name, table in _tables(root):
        for row in table.rows():
            listed_at = f"{name}, line {row.line}"
            with bad.guard(listed_at):
                image = _listed_image(root, listed_at, row.cells())
                if named is not None:
                    named.add(image.source)
                if image.image_id in images:
                    earlier = images[image.image_id]
                    if earlier.source == image.source and earlier.label != image.label:
                        conflicting.add(image.image_id)
                    raise _listed_again(root, earlier, image)
                images[image.image_id] = image
    return [
        image
        for image in images.values()
        if image.label in EXPRESSIONS_WANTED and image.image_id not in conflicting
    ]


def label_codes(root: Path) -> Counter[str]:
    """Number of lines per label, by the meaning of its code; unknown codes are counted as written."""
    counts: Counter[str] = Counter()
    for _, table in _tables(root):
        for row in table.rows():
            with suppress(UserError):  # reported when the images are read
                counts[row.cells()[CODE]] += 1
    return Counter({_meaning(code): count for code, count in counts.items()})


def _meaning(code: str) -> str:
    try:
        return f"{code} {label_of(code)}"
    except ValueError:
        return repr(code)


def read_points(root: Path, image: ListedImage) -> np.ndarray | None:
    """The image's 68 landmarks, float64 (68, 2), pixels; None if its line has none."""
    if image.points.strip().lower() in NO_POINTS:
        return None
    try:
        return dense_points(np.array([float(value) for value in image.points.rstrip("; ").split(";")]))
    except ValueError as error:
        raise UserError(
            f"{root / image.listed_at}: {error}; restore that line ({POINTS} is 'x;y;x;y;...')."
        ) from error


def _tables(root: Path) -> list[tuple[str, Table]]:
    """The CSV files to read, with names relative to `root`: the two standard ones, or else all that have the
    columns."""
    for folder in LIST_FOLDERS:
        names = [
            folder + name
            for name in (visible_names(root / folder) if (root / folder).is_dir() else ())
            if name.lower().endswith(".csv") and not name.lower().startswith(OTHER_IMAGES)
        ]
        standard = [name for name in names if name.removeprefix(folder).lower() in STANDARD_LISTS]
        tables = {
            name: read_table(source_path(root, name), COLUMNS, remedy=RESTORE) for name in standard or names
        }
        chosen = standard or [name for name in names if not tables[name].missing(COLUMNS)]
        for name in chosen or names:
            if missing := tables[name].missing(COLUMNS):
                raise UserError(
                    f"{root / name} lacks the columns {', '.join(missing)}; its first line must name "
                    f"them, as in AffectNet's own lists ({PATH},face_x,...,{POINTS},{CODE},...)."
                )
        if chosen:
            return [(name, tables[name]) for name in chosen]
    raise UserError(
        f"{root} holds {IMAGES}, but no list of their labels: expected {' or '.join(STANDARD_LISTS)}, "
        f"found {found_in(root)}; put AffectNet's CSV files there."
    )


def _listed_image(root: Path, listed_at: str, cells: Mapping[str, str]) -> ListedImage:
    """The image of one line. Raises UserError for an invalid line."""
    try:
        name = with_slashes(cells[PATH])
        if not name or name.startswith("/") or ".." in name.split("/") or "\0" in name:
            raise ValueError(
                f"the path {name!r} is none inside {IMAGES} (it is empty, absolute, or leaves it by '..')"
            )
        label = label_of(cells[CODE])
    except ValueError as error:
        raise UserError(f"{root / listed_at}: {error}; correct or remove that line.") from error
    return ListedImage(
        image_id=PurePosixPath(name).stem,
        label=label,
        source=f"{IMAGES}/{name}",
        # Only selected images keep the text of their landmarks, about a kilobyte each.
        points=cells[POINTS] if label in EXPRESSIONS_WANTED else "",
        listed_at=listed_at,
    )


def _listed_again(root: Path, first: ListedImage, second: ListedImage) -> UserError:
    """The error for an image listed on two lines."""
    lines = f"{first.listed_at}, and {second.listed_at}"
    if first.source != second.source:
        return UserError(
            f"{root}: two images have the name {first.image_id!r}, {first.source} and {second.source} "
            f"({lines}), but an image is known by its name; rename one, also in its list."
        )
    if first.label != second.label:
        return UserError(
            f"{root / first.source} is listed with conflicting labels, {first.label} and {second.label} "
            f"({lines}); remove the wrong line."
        )
    return UserError(
        f"{root / first.source} is listed twice, as {first.label} ({lines}); remove one of the lines."
    )
