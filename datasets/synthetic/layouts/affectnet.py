"""AffectNet's older native layout (docs/methods.md, §6): folders of images, listed in two CSV files.

Every frame is an independent photograph, whose name does not identify the person.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from datasets.affectnet_csv import CODE, IMAGES, PATH, POINTS, STANDARD_LISTS
from datasets.affectnet_labels import LABEL_OF_CODE
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import Row, everyones_sequences
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from datasets.synthetic.pictures import encode_jpeg

DATASET = "affectnet"
CONTENTS = (IMAGES, *STANDARD_LISTS)
HEADER = (
    PATH, "face_x", "face_y", "face_width", "face_height", POINTS, CODE, "valence", "arousal",
)  # fmt: skip
CODE_OF_LABEL = {label: code for code, label in LABEL_OF_CODE.items()}
OTHER_LABELS = ("none", "uncertain", "no face")
"""Labels of the last three frames of a sequence without expression, which the adapter ignores."""
UNLABELLED_EVERY = 2
"""One of this many subjects has such a sequence."""
VALIDATION_EVERY = 10
"""One of this many lines is in validation.csv."""


def places(parameters: SetParameters) -> list[tuple[int, int]]:
    """The seven expressions of every subject, and a sequence without expression of some."""
    return everyones_sequences(parameters, UNLABELLED_EVERY)


def frames_a_place(parameters: SetParameters) -> int:
    """Four: a neutral face and three expressive ones."""
    return len(frames_shown(parameters))


def frames_shown(parameters: SetParameters) -> tuple[int, ...]:
    """The frames of a sequence that become images: the first and the last three."""
    last = parameters.frames - 1
    return 0, last - 2, last - 1, last


def labels_shown(sequence: int) -> tuple[str, ...]:
    """The label of each of `frames_shown`."""
    if sequence < len(EXPRESSIONS):
        return "neutral", *(EXPRESSIONS[sequence],) * 3
    return "neutral", *OTHER_LABELS


def write_sequence(root: Path, parameters: SetParameters, subject: int, sequence: int) -> list[Row]:
    """Write the images of one sequence; returns a line of the lists for each."""
    folder = str(subject + 1)
    (root / IMAGES / folder).mkdir(parents=True, exist_ok=True)
    rows = []
    for frame, label in zip(frames_shown(parameters), labels_shown(sequence), strict=True):
        picture, points = draw_frame(parameters, subject, sequence, frame)
        key = f"{parameters.seed}-{subject}-{sequence}-{frame}"
        path = f"{folder}/{hashlib.sha256(key.encode()).hexdigest()[:56]}.jpg"
        (root / IMAGES / path).write_bytes(encode_jpeg(picture))
        text = ";".join(f"{value:.4f}" for value in points.ravel())
        # Synthetic faces have no ratings, so valence and arousal are always those of a neutral face.
        rows.append([path, *_face_box(points), text, str(CODE_OF_LABEL[label]), "0", "0"])
    return rows


def finish(root: Path, parameters: SetParameters, rows: list[Row]) -> None:
    """Write the two lists."""
    training = [row for index, row in enumerate(rows) if (index + 1) % VALIDATION_EVERY]
    validation = rows[VALIDATION_EVERY - 1 :: VALIDATION_EVERY]
    for name, listed in zip(STANDARD_LISTS, (training, validation), strict=True):
        lines = "".join(",".join(row) + "\n" for row in [HEADER, *listed])
        (root / name).write_text(lines, encoding="ascii", newline="")


def _face_box(points: np.ndarray) -> list[str]:
    """Left, top, width and height of the bounding box of the landmarks, in whole pixels."""
    left, top = np.floor(points.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(points.max(axis=0)).astype(int).tolist()
    return [str(value) for value in (left, top, right - left, bottom - top)]
