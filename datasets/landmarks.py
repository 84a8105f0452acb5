"""Five facial points of each frame from a file of the user's: a CSV, or FMPN's landmark pickle."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from datasets.records import FrameRecord
from platform.errors import UserError
from platform.files.names import composed, with_slashes
from platform.files.tables import read_table

COLUMNS = (
    "image",
    *("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y", "nose_x", "nose_y"),
    *("mouth_left_x", "mouth_left_y", "mouth_right_x", "mouth_right_y"),
)
"""The columns read; others are left alone. `image` is the frame's name, with or without an
extension: `S005_001_00000011.png`. Points in pixels of the frame as the adapter gives it (so of the
frontal half, where one was cut out), left in the image."""

_EXTENSION = re.compile(r"\.(png|jpe?g|bmp|tiff?)$", re.IGNORECASE)
_NUMBERED = re.compile(r"^(?P<sequence>.+)_(?P<frame>\d{1,9})$")

ImageKey = tuple[str, int]
"""Sequence and frame number: `S001_100_040` and `S001_100_00000040` are the same frame. An image
outside any sequence is frame 0 of itself."""


def image_key(name: str) -> ImageKey:
    """The frame a file name speaks of: `S001_100_040.png` is ("S001_100", 40), `face.png` ("face", 0).

    Raises ValueError for a name that ends neither in a number nor in an image's extension.
    """
    file_name = with_slashes(name).rsplit("/", 1)[-1]
    stem = _EXTENSION.sub("", file_name)
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


def read_landmarks(path: Path, several_faces: set[ImageKey] | None = None) -> dict[ImageKey, np.ndarray]:
    """Five points, float64 (5, 2), of each frame that `path` lists: a CSV, or FMPN's landmark pickle
    (`.pkl`), of which the face with the best score is taken.

    `several_faces` is given each frame in which more than one face was found: by the pickle, or by a
    column `faces_found` of the CSV. Raises UserError that names the file, and the line
    or image where one is wrong: a missing column, what is not a number, an image twice.
    """
    several_faces = set() if several_faces is None else several_faces
    if path.suffix.lower() in (".pkl", ".pickle"):
        return _read_pickle(path, several_faces)
    table = read_table(path, (*COLUMNS, "faces_found"))
    if missing := table.missing(COLUMNS):
        raise UserError(
            f"{path} lacks the columns {', '.join(missing)}; the columns read are {', '.join(COLUMNS)}."
        )
    points: dict[ImageKey, np.ndarray] = {}
    for row in table.rows():
        cells = row.cells()
        try:
            key, values = listed_key(cells["image"]), read_points(cells)
            if key in points:
                raise ValueError(f"the image {cells['image']!r} is listed twice")
        except ValueError as error:
            raise UserError(f"{row.where}: {error}; correct that line.") from error
        points[key] = values
        if cells.get("faces_found", "") not in ("", "0", "1"):
            several_faces.add(key)
    if not points:
        raise UserError(f"{path} lists no images; write one line an image under its header.")
    return points


def _read_pickle(path: Path, several_faces: set[ImageKey]) -> dict[ImageKey, np.ndarray]:
    """FMPN's `bbox_landmark_mtcnn.pkl` (METHODS): image path -> [boxes (n, 5), landmarks (n, 10)].

    A box is x1, y1, x2, y2, score; landmarks are x1 ... x5, y1 ... y5 in our order of points. Images
    without a face are left out.
    """
    from datasets.plain_pickle import load_plain

    content = load_plain(path)
    if not isinstance(content, dict) or not content:
        raise UserError(
            f"{path} must be a dict from images to boxes and landmarks, as FMPN's bbox_landmark_mtcnn.pkl, "
            "but is not; pass that file or a CSV."
        )
    points: dict[ImageKey, np.ndarray] = {}
    seen: set[ImageKey] = set()
    for name, found in content.items():
        try:
            key = listed_key(name)
            if key in seen:
                raise ValueError("it is listed twice")
            seen.add(key)
            faces, best = _best_face(*found)
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(
                f"{path} must hold boxes (n, 5) and landmarks (n, 10) of each image, but {name!r} is wrong "
                f"({error}); restore the file from FMPN's release, or pass a CSV."
            ) from error
        if best is not None:
            points[key] = best
        if faces > 1:
            several_faces.add(key)
    if not points:
        raise UserError(f"{path} has no image with a face; pass another file.")
    return points


def _best_face(boxes: object, landmarks: object) -> tuple[int, np.ndarray | None]:
    """How many faces there are, and the five points of the one with the best score."""
    scored, points = np.asarray(boxes, dtype=np.float64), np.asarray(landmarks, dtype=np.float64)
    if not len(scored) and not len(points):
        return 0, None
    if scored.shape != (len(scored), 5) or points.shape != (len(scored), 10):
        raise ValueError(f"its boxes and landmarks have shapes {scored.shape} and {points.shape}")
    best = points[np.argmax(scored[:, 4])]
    if not np.isfinite(best).all():
        raise ValueError("its landmarks are not finite")
    return len(scored), best.reshape(2, 5).T.copy()


def read_points(row: Mapping[str, str | None]) -> np.ndarray:
    """The points in one line of a CSV, float64 (5, 2). Raises ValueError for what is not a number."""
    values = []
    for column in COLUMNS[1:]:
        text = row[column]
        try:
            values.append(float(text or ""))
        except ValueError:
            raise ValueError(f"{column} is {text!r}, not a number") from None
        if not math.isfinite(values[-1]):
            raise ValueError(f"{column} is {text!r}, not a finite number")
    return np.array(values).reshape(5, 2)


def attach_landmarks(
    records: Sequence[FrameRecord], points: Mapping[ImageKey, np.ndarray], listed_in: Path
) -> list[FrameRecord]:
    """`records` with their landmarks from `points`, which `listed_in` holds.

    Every record must be listed (else UserError, with the number and the first of those that are
    not); what `points` lists beyond them is left alone.
    """
    absent = [record.image_name for record in records if record_key(record) not in points]
    if absent:
        raise UserError(
            f"{listed_in} lacks {len(absent)} of the {len(records)} frames wanted, the first being "
            f"{', '.join(absent[:3])}; add a line for each."
        )
    return [replace(record, landmarks=points[record_key(record)]) for record in records]
