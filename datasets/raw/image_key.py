"""The frame that a file name names: one key for every way of writing it."""

from __future__ import annotations

import re

from datasets.records import FrameRecord
from platform.files.names import composed, with_slashes

EXTENSION = re.compile(r"\.(png|jpe?g|bmp|tiff?)$", re.IGNORECASE)
"""Of an image's name."""
_NUMBERED = re.compile(r"^(?P<sequence>.+)_(?P<frame>\d{1,9})$")

ImageKey = tuple[str, int]
"""Sequence and frame number: `S001_100_040` and `S001_100_00000040` are the same frame. An image
outside any sequence is frame 0 of itself."""


def image_key(name: str) -> ImageKey:
    """The frame a file name speaks of: `S001_100_040.png` is ("S001_100", 40), `face.png` ("face", 0).

    Raises ValueError for a name that ends neither in a number nor in an image's extension.
    """
    file_name = with_slashes(name).rsplit("/", 1)[-1]
    stem = EXTENSION.sub("", file_name)
    match = _NUMBERED.match(stem)
    if match is not None:
        return match["sequence"], int(match["frame"])
    if not stem or stem == file_name:
        raise ValueError(f"{name!r} does not end in _ and a frame number, nor like an image file")
    return stem, 0


def listed_key(name: str) -> ImageKey:
    """As image_key, for a name that a list gives: in the one form of Unicode that record_key has too."""
    return image_key(composed(name))


def record_key(record: FrameRecord) -> ImageKey:
    """What listed_key gives for the record's image; its own names are written as the disk has them."""
    return composed(record.sequence_id), record.frame
