"""Five facial points of each frame from a CSV file of the user's."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from datasets.records import FrameRecord
from datasets.sources import read_text
from platform.errors import UserError

COLUMNS = (
    "image",
    *("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y", "nose_x", "nose_y"),
    *("mouth_left_x", "mouth_left_y", "mouth_right_x", "mouth_right_y"),
)
"""The columns read; others are left alone. `image` is the frame's name, with or without an
extension: `S005_001_00000011.png`. Points in pixels of the source frame, left in the image."""

_NUMBERED = re.compile(r"^(?P<sequence>.+)_(?P<frame>\d+)$")

ImageKey = tuple[str, int]
"""Sequence and frame number: `S001_100_040` and `S001_100_00000040` are the same frame."""


def image_key(name: str) -> ImageKey:
    """The frame a file name speaks of. Raises ValueError where it does not end in a number."""
    stem = name.strip().replace("\\", "/").rsplit("/", 1)[-1]
    stem = re.sub(r"\.(png|jpe?g|bmp|tiff?)$", "", stem, flags=re.IGNORECASE)
    match = _NUMBERED.match(stem)
    if match is None:
        raise ValueError(f"{name!r} does not end in _ and a frame number")
    return match["sequence"], int(match["frame"])


def read_landmarks(path: Path) -> dict[ImageKey, np.ndarray]:
    """Five points, float64 (5, 2), of each frame that the CSV file `path` lists.

    Raises UserError that names the file, and the line where one is wrong: a missing column, what is
    not a number, an image twice.
    """
    reader = csv.DictReader(read_text(path).splitlines())
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise UserError(
            f"{path} lacks the columns {', '.join(missing)}; the columns read are {', '.join(COLUMNS)}."
        )
    points: dict[ImageKey, np.ndarray] = {}
    try:
        for row in reader:
            key, values = _read_row(row)
            if key in points:
                raise ValueError(f"the image {row['image']!r} is listed twice")
            points[key] = values
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}; correct that line.") from error
    if not points:
        raise UserError(f"{path} lists no images; write one line an image under its header.")
    return points


def _read_row(row: Mapping[str, str | None]) -> tuple[ImageKey, np.ndarray]:
    """One line's frame and its points, float64 (5, 2)."""
    values = []
    for column in COLUMNS[1:]:
        text = row[column]
        try:
            values.append(float(text or ""))
        except ValueError:
            raise ValueError(f"{column} is {text!r}, not a number") from None
        if not math.isfinite(values[-1]):
            raise ValueError(f"{column} is {text!r}, not a finite number")
    return image_key(row["image"] or ""), np.array(values).reshape(5, 2)


def attach_landmarks(
    records: Sequence[FrameRecord], points: Mapping[ImageKey, np.ndarray], listed_in: Path
) -> list[FrameRecord]:
    """`records` with their landmarks from `points`, which `listed_in` holds.

    Every record must be listed (else UserError, with the number and the first of those that are
    not); what `points` lists beyond them is left alone.
    """
    absent = [record.image_name for record in records if (record.sequence_id, record.frame) not in points]
    if absent:
        raise UserError(
            f"{listed_in} lacks {len(absent)} of the {len(records)} frames wanted, the first being "
            f"{', '.join(absent[:3])}; add a line for each."
        )
    return [replace(record, landmarks=points[record.sequence_id, record.frame]) for record in records]
