"""The images and folds that a fold list names, whatever kind of list it is, and findings about them."""

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
    """What a list says of one image."""

    name: str
    """As the list writes it, with `/` between folders; its identity in the list."""
    subject: str
    sequence: str | None
    """Unique over subjects; None where neither name nor table tells it."""
    expression: str | None
    """The class by name; None where it is unknown."""
    label: int | None = None
    """The class by number, as the list gives it; None where it gives none."""


@dataclass(frozen=True, kw_only=True)
class ListedFold:
    """Image names of one fold, in the list's order, with its repetitions."""

    index: int
    """As the list numbers it: from 0 or from 1."""
    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FoldLists:
    """All folds of a list, as images."""

    kind: Literal["fold plan", "released lists", "table"]
    images: Mapping[str, ListedImage]
    """Every image of any fold, by name."""
    folds: tuple[ListedFold, ...]
    codes_title: str | None = None
    """The data set whose label codes the list should follow; None where that is unknown."""
    codes: Mapping[int, str] | None = None
    """Those codes, with their class names."""

    def with_expressions(self, expression_of: Mapping[str, str | None]) -> FoldLists:
        """The same lists, where images without a class take it from `expression_of`, by name."""
        images = {
            name: image
            if image.expression is not None
            else replace(image, expression=expression_of.get(name))
            for name, image in self.images.items()
        }
        return replace(self, images=images)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that an audit has to say."""

    severity: Literal["leak", "warning", "note"]
    """`leak`: what is tested may have been trained on. `warning`: wrong in another way. `note`: worth
    knowing."""
    rule: str
    """Which check found it, in a few words; stable, for programs that read the JSON."""
    what: str
    """What was found, with how many; a clause without a full stop."""
    example: str
    remedy: str


def some(items: Iterable[str], most: int = 4) -> str:
    """The first of `items`, and how many more there are."""
    given = list(items)
    return ", ".join(given[:most]) + (f" and {len(given) - most} more" if len(given) > most else "")


def parse_image_name(name: str) -> tuple[str, str, int] | None:
    """(subject, sequence, frame) of a name like `S005_001_00000011.png`; None where it is not like it."""
    match = _IMAGE_NAME.match(stem(name))
    return (match["subject"], match["sequence"], int(match["frame"])) if match else None


def stem(name: str) -> str:
    """`S005_001_00000011` for `imgs/S005_001_00000011.png`."""
    return re.sub(r"\.(png|jpe?g|bmp|tiff?)$", "", name.rsplit("/", 1)[-1], flags=re.IGNORECASE)


def clean_name(text: str, where: str) -> str:
    """An image name with `/`. Raises UserError for an empty one and for one that leaves its folder."""
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
    """Folds count 0, 1, 2, ... or 1, 2, 3, ...; a gap means that a file or rows are missing."""
    given = list(indices)
    if given[0] not in (0, 1) or given != list(range(given[0], given[0] + len(given))):
        raise UserError(
            f"folds must be numbered 0, 1, 2, ... or 1, 2, 3, ..., but {path} has "
            f"{', '.join(map(str, given))}; add the missing ones or renumber."
        )
