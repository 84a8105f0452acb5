"""Images and folds of any kind of fold list, and findings of an audit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from platform.errors import UserError
from platform.files.names import with_slashes

_IMAGE_NAME = re.compile(r"^(?P<sequence>(?P<subject>[A-Za-z]+\d+)_[A-Za-z0-9]+)_(?P<frame>\d+)$")


@dataclass(frozen=True, kw_only=True)
class ListedImage:
    """One image of a list."""

    name: str
    """Name in the list, with `/` between folders; its identity there."""
    subject: str
    sequence: str | None
    """Unique over all subjects; None if neither name nor table gives it."""
    expression: str | None
    """Name of the class; None if unknown."""
    label: int | None = None
    """Number of the class in the list; None if the list has none."""


@dataclass(frozen=True, kw_only=True)
class ListedFold:
    """Image names of one fold, in the order of the list, including repetitions."""

    index: int
    """Number in the list, which counts from 0 or from 1."""
    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FoldLists:
    """All images and folds of a list."""

    kind: Literal["fold plan", "released lists", "table"]
    images: Mapping[str, ListedImage]
    """Every image of any fold, by name."""
    folds: tuple[ListedFold, ...]
    codes_title: str | None = None
    """The data set whose label codes the list should follow; None if unknown."""
    codes: Mapping[int, str] | None = None
    """Class name of each code of that data set."""

    def with_expressions(self, expression_of: Mapping[str, str | None]) -> FoldLists:
        """These lists with the classes in `expression_of` for images without a class."""
        images = {
            name: image
            if image.expression is not None
            else replace(image, expression=expression_of.get(name))
            for name, image in self.images.items()
        }
        return replace(self, images=images)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding of an audit."""

    severity: Literal["leak", "warning", "note"]
    """`leak`: test data may have been trained on. `warning`: another error. `note`: information."""
    rule: str
    """The check that found it, in a few words; stable, for programs that read the JSON."""
    what: str
    """The finding, with a count; a clause without a full stop."""
    example: str
    remedy: str


def some(items: Iterable[str], most: int = 4) -> str:
    """The first `most` of `items` and the number of the others, for messages."""
    given = list(items)
    return ", ".join(given[:most]) + (f" and {len(given) - most} more" if len(given) > most else "")


def parse_image_name(name: str) -> tuple[str, str, int] | None:
    """(subject, sequence, frame) of a name like `S005_001_00000011.png`; None for other names."""
    match = _IMAGE_NAME.match(stem(name))
    return (match["subject"], match["sequence"], int(match["frame"])) if match else None


def stem(name: str) -> str:
    """`S005_001_00000011` for `imgs/S005_001_00000011.png`."""
    return re.sub(r"\.(png|jpe?g|bmp|tiff?)$", "", name.rsplit("/", 1)[-1], flags=re.IGNORECASE)


def clean_name(text: str, where: str) -> str:
    """An image name with `/`. Raises UserError for an empty name and for one that leaves its folder."""
    name = with_slashes(text)
    parts = PurePosixPath(name).parts
    if not parts or "\0" in name:
        raise UserError(f"{where}: an image name is missing; correct that line.")
    if ".." in parts or parts[0] == "/" or re.match(r"^[A-Za-z]:", name):
        raise UserError(
            f"{where}: {text!r} leaves the folder of the images (by '..' or an absolute path); "
            "write names relative to that folder."
        )
    return name


def check_numbering(path: Path, indices: Iterable[int]) -> None:
    """Raises UserError unless folds are numbered 0, 1, 2, ... or 1, 2, 3, ...: a gap means missing files or
    lines."""
    given = list(indices)
    if given[0] not in (0, 1) or given != list(range(given[0], given[0] + len(given))):
        raise UserError(
            f"folds must be numbered 0, 1, 2, ... or 1, 2, 3, ..., but {path} has "
            f"{', '.join(map(str, given))}; add the missing ones or renumber."
        )
