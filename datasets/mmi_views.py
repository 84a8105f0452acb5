"""Position and rotation of the frontal face in the frames of MMI clips.

MMI's clips are 720 × 576. Some show one person twice, frontal in one half and in profile in the other; some
were filmed with the camera on its side. No file of MMI tells which (docs/methods.md, §6). The first of these
rules that applies decides:

1. `orientation.csv` in the data set's folder, written by the user. Its columns are `clip` (a clip such as
   S001-100, or a subject such as S001 for all its clips), `rotation_degrees` (0, 90, 180 or 270: the
   clockwise rotation that makes frames upright) and `frontal` (left, right or whole: the part of the upright
   frame to keep).
2. Frames that are not wider than tall were cropped or rotated before, and are used whole.
3. The subjects of FMPN's experiments follow a preparation script of its author (Y. Chen, 2022; not checked
   against the clips): one half, the whole frame, or a rotation by 90 degrees clockwise.
4. Symmetry decides for the others: a frontal face is nearly its own mirror image, a profile is not. A near
   tie is an error that names the clip and asks for a line in `orientation.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np

from datasets.raw.clips import Clip
from datasets.raw.sources import source_path
from platform.errors import UserError
from platform.files.tables import read_table

ORIENTATIONS = "orientation.csv"
COLUMNS = ("clip", "rotation_degrees", "frontal")

Part = Literal["whole", "left", "right"]


@dataclass(frozen=True)
class View:
    """The extraction of the frontal face from a frame: first rotate, then crop."""

    rotation_degrees: int
    """Clockwise rotation: 0, 90, 180 or 270."""
    part: Part
    """Half of the rotated frame, or all of it."""
    decided_by: str
    """The rule that decided: `orientation.csv`, `shape`, `subject` or `symmetry`."""

    def __str__(self) -> str:
        """Text for messages: `right half, by subject`."""
        part = "whole frame" if self.part == "whole" else f"{self.part} half"
        turned = f", turned by {self.rotation_degrees} degrees" if self.rotation_degrees else ""
        return f"{part}{turned}, by {self.decided_by}"

    def apply(self, frame: np.ndarray) -> np.ndarray:
        """The frontal view in `frame` (H, W, ...), upright, as a new array."""
        upright = np.rot90(frame, -(self.rotation_degrees // 90))
        middle = upright.shape[1] // 2
        columns = {"whole": slice(None), "left": slice(None, middle), "right": slice(-middle, None)}
        return np.ascontiguousarray(upright[:, columns[self.part]])


VIEW_OF_SUBJECT: dict[str, View] = {
    **{subject: View(0, "right", "subject") for subject in ("S001", "S002", "S017")},
    **{subject: View(0, "left", "subject") for subject in ("S003", "S005", "S006", "S015", "S016")},
    **{subject: View(0, "whole", "subject") for subject in ("S053", "S054")},
    **{f"S{number:03d}": View(90, "whole", "subject") for number in (28, *range(30, 51))},
}
"""Rule 3. The subjects are the 31 of FMPN's lists and S017."""

MEASURED_FRAMES = 3
"""Number of frames from the start of a clip: neutral, so the most symmetric. Their mean has less noise."""

MEASURED_HEIGHT = 64
"""Height in pixels to which frames are reduced for the measurement."""

SMALLEST_LEAD = 0.1
"""Minimum lead in symmetry of the best view over the second. Of 128 synthetic clips, a quarter of each kind
and half of them of maximal difficulty, 110 have a larger lead, and all of these are correct."""

_CANDIDATES = tuple(
    View(rotation, cast(Part, part), "symmetry")
    for rotation, part in ((0, "whole"), (0, "left"), (0, "right"), (90, "whole"))
)


def find_view(clip: Clip, name: str, orientations: dict[str, View]) -> View:
    """The view of the clip called `name` (`S001-100`). Raises UserError if symmetry cannot decide."""
    subject = name.split("-")[0].upper()
    for key in (name.upper(), subject):
        if key in orientations:
            return orientations[key]
    width, height = clip.size
    if width <= height:
        return View(0, "whole", "shape")
    if subject in VIEW_OF_SUBJECT:
        return VIEW_OF_SUBJECT[subject]
    frame = np.mean([clip.read(number) for number in range(MEASURED_FRAMES)], axis=0)
    scores = [(symmetry(view.apply(frame)), view) for view in _CANDIDATES]
    (best, view), (second, _), *_ = sorted(scores, key=lambda scored: -scored[0])
    if best - second < SMALLEST_LEAD:
        measured = ", ".join(
            f"{'turned' if view.rotation_degrees else view.part} {score:.2f}" for score, view in scores
        )
        raise UserError(
            f"where the frontal face is in the clip {clip.path} cannot be told by symmetry ({measured}); "
            f"write a line for {name} or for {subject} into {ORIENTATIONS} in the data set's folder (columns "
            f"{', '.join(COLUMNS)}; for example {subject},90,whole or {subject},0,left), "
            "or move its session away."
        )
    return view


def symmetry(image: np.ndarray) -> float:
    """Mirror symmetry of `image` (H, W, 3) about the best vertical axis near its middle.

    Normalised correlation of one side with the mirrored other side, restricted to details finer than a
    sixteenth of the height: eyes, brows, nose and mouth, but not lighting and the head's outline, which are
    as symmetric upside down. 1 for mirror images, about 0 for unrelated or uniform sides.
    """
    import cv2

    width = max(16, round(image.shape[1] * MEASURED_HEIGHT / image.shape[0]))
    gray = cv2.resize(
        np.asarray(image.mean(axis=2), dtype=np.float32),
        (width, MEASURED_HEIGHT),
        interpolation=cv2.INTER_AREA,
    )
    fine = cv2.GaussianBlur(gray - cv2.GaussianBlur(gray, (0, 0), MEASURED_HEIGHT / 16), (0, 0), 1)
    reach = round(0.4 * width)
    best = 0.0
    for axis in range(reach, width - reach + 1):
        sides = np.stack([fine[:, axis - reach : axis], fine[:, axis : axis + reach][:, ::-1]])
        sides -= sides.mean(axis=(1, 2), keepdims=True)
        # A tenth of a gray level: anything that varies less is a plain wall, not a face.
        spreads = np.maximum(sides.std(axis=(1, 2)), 0.1)
        best = max(best, float((sides[0] * sides[1]).mean() / spreads.prod()))
    return best


def read_orientations(root: Path) -> dict[str, View]:
    """The lines of `orientation.csv` by clip or subject, in capitals; empty without that file.

    Raises UserError that names an invalid line.
    """
    path = source_path(root, ORIENTATIONS)
    if not path.exists():
        return {}
    table = read_table(path, COLUMNS)
    if missing := table.missing(COLUMNS):
        raise UserError(
            f"{path} lacks the columns {', '.join(missing)}; its columns are {', '.join(COLUMNS)}."
        )
    views: dict[str, View] = {}
    for row in table.rows():
        where, cells = row.where, row.cells()
        name, rotation, part = (cells[column] for column in COLUMNS)
        if rotation not in ("", "0", "90", "180", "270"):
            raise UserError(f"{where}: rotation_degrees is {rotation!r}, but must be 0, 90, 180 or 270.")
        if part not in ("", *get_args(Part)):
            raise UserError(f"{where}: frontal is {part!r}, but must be left, right or whole.")
        if not name or name.upper() in views:
            raise UserError(
                f"{where}: the clip {name!r} is {'listed twice' if name else 'missing'}; correct it."
            )
        views[name.upper()] = View(int(rotation or 0), cast(Part, part or "whole"), ORIENTATIONS)
    return views
