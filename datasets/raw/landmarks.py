"""Five facial points of each frame, read from a CSV file of the user or FMPN's landmark pickle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from datasets.raw.choices import BadItems
from datasets.raw.image_key import ImageKey, listed_key
from platform.errors import UserError
from platform.files.names import composed, with_slashes
from platform.files.tables import read_table

COLUMNS = (
    "image",
    *("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y", "nose_x", "nose_y"),
    *("mouth_left_x", "mouth_left_y", "mouth_right_x", "mouth_right_y"),
)
"""The columns read; others are ignored. `image` is the frame's name with or without extension
(`S005_001_00000011.png`), the image's path in the data set's folder, or its file name if unique. Points are
in pixels of the frame as the adapter returns it (of the frontal half, if one was cut out); left means left in
the image."""


class ListedPoints(NamedTuple):
    """The entry of a landmark file for one image."""

    where: str
    """`points.csv, line 3`, for messages."""
    points: np.ndarray | None
    """float64 (5, 2), pixels; None if the image is listed without a face (no finite points)."""
    has_several_faces: bool


@dataclass(frozen=True)
class LandmarkFile:
    """A landmark file that has been read."""

    path: Path
    images: Mapping[str, ListedPoints]
    """Entries by the listed name or path of the image, with `/`, in one Unicode form."""

    @property
    def all_points(self) -> list[np.ndarray]:
        """The points, float64 (5, 2), of every image with a face, in the order of the file."""
        return [listed.points for listed in self.images.values() if listed.points is not None]


def read_landmarks(path: Path, bad: BadItems | None = None) -> LandmarkFile:
    """Read the landmark file `path`: a CSV, or FMPN's landmark pickle (`.pkl`), of which the face with the
    best score is taken.

    Raises UserError, with file and line or image, for a missing column, a value that is not a number or an
    image listed twice. With `bad.skip` invalid lines of a CSV are left out instead.
    """
    if path.suffix.lower() in (".pkl", ".pickle"):
        return LandmarkFile(path, _read_pickle(path))
    table = read_table(path, (*COLUMNS, "faces_found"))
    if missing := table.missing(COLUMNS):
        raise UserError(
            f"{path} lacks the columns {', '.join(missing)}; the columns read are {', '.join(COLUMNS)}."
        )
    images: dict[str, ListedPoints] = {}
    keys: set[ImageKey] = set()
    for row in table.rows():
        where = f"{path.name}, line {row.line}"
        try:
            _add_row(images, keys, row.cells(), where)
        except (ValueError, UserError) as error:
            if bad is None or not bad.skip:
                if isinstance(error, UserError):
                    raise
                raise UserError(f"{row.where}: {error}; correct that line.") from error
            # Without the folder of the file, because the prepared set keeps the reason.
            bad.leave_out(where, str(error).replace(f"{path}, line {row.line}", where))
    if not images:
        raise UserError(f"{path} lists no images; write one line per image below the header.")
    return LandmarkFile(path, images)


def _add_row(
    images: dict[str, ListedPoints], keys: set[ImageKey], cells: Mapping[str, str], where: str
) -> None:
    """Add the image of one line. Raises ValueError or UserError for an invalid line."""
    name = composed(with_slashes(cells["image"]))
    key = listed_key(name)
    # In different folders the same file name may stand for different images.
    if name in images or ("/" not in name and key in keys):
        raise ValueError(f"the image {cells['image']!r} is listed twice")
    points = None if _is_blank(cells) else read_points(cells)
    images[name] = ListedPoints(where, points, cells.get("faces_found", "") not in ("", "0", "1"))
    if "/" not in name:
        keys.add(key)


def _is_blank(cells: Mapping[str, str]) -> bool:
    """Whether a line reports no face, as detection programs write it: no points, or `nan`."""
    return all(cells[column].lower() in ("", "nan", "none", "null", "n/a") for column in COLUMNS[1:])


def _read_pickle(path: Path) -> dict[str, ListedPoints]:
    """FMPN's `bbox_landmark_mtcnn.pkl` (docs/methods.md, §6): image path -> [boxes (n, 5), landmarks (n,
    10)].

    A box is x1, y1, x2, y2, score; landmarks are x1 ... x5, y1 ... y5 in the order of COLUMNS.
    """
    from datasets.raw.plain_pickle import load_plain

    content = load_plain(path)
    if not isinstance(content, dict) or not content:
        raise UserError(
            f"{path} must be a dict from images to boxes and landmarks like FMPN's bbox_landmark_mtcnn.pkl, "
            "but it is not; pass that file or a CSV."
        )
    images: dict[str, ListedPoints] = {}
    for name, found in content.items():
        try:
            listed_key(name)
            plain = composed(with_slashes(name))
            if plain in images:
                raise ValueError("it is listed twice")
            faces, best = _best_face(*found)
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(
                f"{path} must hold boxes (n, 5) and landmarks (n, 10) for each image, but the entry {name!r} "
                f"is invalid ({error}); restore the file from FMPN's release, or pass a CSV."
            ) from error
        images[plain] = ListedPoints(f"{path.name}, {name}", best, faces > 1)
    if all(listed.points is None for listed in images.values()):
        raise UserError(f"{path} has no image with a face; pass another file.")
    return images


def _best_face(boxes: object, landmarks: object) -> tuple[int, np.ndarray | None]:
    """The number of faces, and the five points of the one with the best score: float64 (5, 2), or None."""
    scored, points = np.asarray(boxes, dtype=np.float64), np.asarray(landmarks, dtype=np.float64)
    if not len(scored) and not len(points):
        return 0, None
    if scored.shape != (len(scored), 5) or points.shape != (len(scored), 10):
        raise ValueError(f"its boxes and landmarks have shapes {scored.shape} and {points.shape}")
    best = points[np.argmax(scored[:, 4])]
    if not np.isfinite(best).all():
        return len(scored), None
    return len(scored), best.reshape(2, 5).T.copy()


def read_points(row: Mapping[str, str | None]) -> np.ndarray:
    """The points in one line of a CSV, float64 (5, 2). Raises ValueError unless all are finite numbers."""
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
