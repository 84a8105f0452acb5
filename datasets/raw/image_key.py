"""Keys of frames: one key for every way of writing a frame's file name."""

from __future__ import annotations

import re

from datasets.records import FrameRecord
from platform.files.names import composed, with_slashes

EXTENSION = re.compile(r"\.(png|jpe?g|bmp|tiff?)$", re.IGNORECASE)
"""Extensions of image files."""
_NUMBERED = re.compile(r"^(?P<sequence>.+)_(?P<frame>\d{1,9})$")

ImageKey = tuple[str, int]
"""Sequence and frame number: `S001_100_040` and `S001_100_00000040` are the same frame. A single image is
frame 0 of a sequence with its own name."""


def image_key(name: str) -> ImageKey:
    """The key of a file name: ("S001_100", 40) for `S001_100_040.png`, ("face", 0) for `face.png`.

    Raises ValueError for a name that ends neither in a frame number nor in an image extension.
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
    """As `image_key`, for a name in a list: normalised to the Unicode form that `record_key` uses."""
    return image_key(composed(name))


def record_key(record: FrameRecord) -> ImageKey:
    """The key of a record's image, equal to `listed_key` of its name; records keep names as on disk."""
    return composed(record.sequence_id), record.frame
