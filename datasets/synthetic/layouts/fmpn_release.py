"""The layout of FMPN's release of CK+ (docs/methods.md, §6): aligned crops, lists, labels, motion masks.

`imgs` holds the first and the last three frames of each sequence.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import cv2
import numpy as np

from datasets.alignment.similarity import align, five_points_from_68, similarity_transform, template_points
from datasets.ckplus import EXPRESSION_OF_CODE
from datasets.fmpn_release import IMAGES, MASKS
from datasets.folds.rules import Fold, paper_folds
from datasets.masks.motion_masks import class_motion_masks, to_gray
from datasets.raw.fmpn_labels import LABELS, UNLABELLED
from datasets.raw.sources import read_image
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import Row
from datasets.synthetic.layouts.ckplus import places as ckplus_places
from datasets.synthetic.layouts.ckplus import subject_name
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from datasets.synthetic.pictures import encode_png
from platform.errors import UserError

__all__ = ["CONTENTS", "DATASET", "finish", "frames_a_place", "places", "write_sequence"]

DATASET = "fmpn_release"
MOST_FOLDS = 10
CONTENTS = (
    IMAGES, MASKS, LABELS,
    *(f"{side}_ids_{fold}.csv" for side in ("train", "test") for fold in range(MOST_FOLDS)),
)  # fmt: skip
CODE_OF_EXPRESSION = {name: code for code, name in EXPRESSION_OF_CODE.items()}
EXPRESSIVE_FRAMES = 3
LARGEST_MASK_PIXELS = 70
"""Side of the released masks of CK+; masks of smaller crops have the size of the crops."""


def places(parameters: SetParameters) -> list[tuple[int, int]]:
    """The places of CK+'s layout. Raises UserError for a single subject."""
    if parameters.subjects < 2:
        raise UserError(
            f"FMPN's layout contains folds, so it needs 2 subjects or more, but got {parameters.subjects}; "
            "pass --subjects 10 or more."
        )
    return ckplus_places(parameters)


def frames_a_place(parameters: SetParameters) -> int:
    """Four: the first and the last three."""
    return 1 + EXPRESSIVE_FRAMES


def write_sequence(root: Path, parameters: SetParameters, subject: int, sequence: int) -> list[Row]:
    """Write the crops of one sequence; returns its line: subject, sequence, label code and image names, the
    neutral one first."""
    folder = root / IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    person, size = subject_name(parameters, subject), parameters.size_pixels
    names = []
    for frame in (0, *range(parameters.frames - EXPRESSIVE_FRAMES, parameters.frames)):
        picture, points = draw_frame(parameters, subject, sequence, frame)
        transform = similarity_transform(five_points_from_68(points), template_points(size))
        names.append(f"{person}_{sequence + 1:03d}_{frame + 1:08d}.png")
        (folder / names[-1]).write_bytes(encode_png(align(picture, transform, size)))
    labelled = sequence < len(EXPRESSIONS)
    code = CODE_OF_EXPRESSION[EXPRESSIONS[sequence]] if labelled else UNLABELLED
    return [[person, f"{person}_{sequence + 1:03d}", str(code), *names]]


def finish(root: Path, parameters: SetParameters, rows: list[Row]) -> None:
    """Write labels, lists of ten folds (fewer if there are fewer subjects), and the masks of each fold."""
    codes = {sequence: int(code) for _, sequence, code, *_ in sorted(rows)}
    # Protocol 2, as Python 2 wrote the released file.
    (root / LABELS).write_bytes(pickle.dumps(codes, protocol=2))
    labelled = [row for row in sorted(rows) if int(row[2]) != UNLABELLED]
    gray = _mask_inputs(root, labelled, min(parameters.size_pixels, LARGEST_MASK_PIXELS))
    subjects = {row[0] for row in labelled}
    for fold in paper_folds(subjects, min(MOST_FOLDS, len(subjects))).folds:
        for side, chosen in (("train", fold.train_subjects), ("test", fold.test_subjects)):
            names = sorted(name for row in labelled if row[0] in chosen for name in row[4:])
            # As released: one name per line, without a line break after the last.
            (root / f"{side}_ids_{fold.index}.csv").write_text("\n".join(names), encoding="ascii")
        _write_masks(root / MASKS / str(fold.index), fold, labelled, gray)


def _mask_inputs(root: Path, rows: list[Row], side: int) -> dict[str, np.ndarray]:
    """The gray crops of `rows` by name, uint8 (side, side)."""
    gray = {}
    for row in rows:
        for name in row[3:]:
            crop = to_gray(read_image(root / IMAGES / name))
            gray[name] = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    return gray


def _write_masks(folder: Path, fold: Fold, rows: list[Row], gray: dict[str, np.ndarray]) -> None:
    """Write the masks of the fold's training subjects, each relative to the first frame of its first
    sequence."""
    training = [row for row in rows if row[0] in fold.train_subjects]
    neutral: dict[str, np.ndarray] = {}
    for person, _, _, first, *_ in training:
        neutral.setdefault(person, gray[first])
    people = list(neutral)
    images = [(gray[name], people.index(row[0]), int(row[2])) for row in training for name in row[4:]]
    faces, neutral_of, codes = zip(*images, strict=True)
    masks = class_motion_masks(
        np.stack(faces), np.stack(list(neutral.values())), np.array(neutral_of), np.array(codes) - 1,
        len(EXPRESSION_OF_CODE),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for number, mask in enumerate(masks):
        (folder / f"{number}.png").write_bytes(_encode_gray(mask))


def _encode_gray(image: np.ndarray) -> bytes:
    """A PNG file with one channel, like the released masks."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(image).save(content, format="PNG")
    return content.getvalue()
