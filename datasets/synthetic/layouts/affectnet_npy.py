"""AffectNet's newer native layout (docs/methods.md, §6): numbered images with small `.npy` files.

Every frame is an independent image. Both folders number their images from 0. Values are text in one folder
and numbers in the other, because both occur in copies.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets.affectnet_npy import ANNOTATIONS, CODE_FILE, IMAGES, POINTS_FILE, SUBSETS
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import Row
from datasets.synthetic.layouts.affectnet import CODE_OF_LABEL, frames_a_place, frames_shown, labels_shown
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from datasets.synthetic.pictures import encode_jpeg

__all__ = ["CONTENTS", "DATASET", "finish", "frames_a_place", "places", "write_sequence"]

DATASET = "affectnet"
CONTENTS = tuple(SUBSETS)
VALIDATION_EVERY = 10
"""One of this many sequences is in val_set."""


def places(parameters: SetParameters) -> list[tuple[int, int]]:
    """The seven expressions of every subject: this layout has only the codes 0 to 7."""
    return [
        (subject, sequence) for subject in range(parameters.subjects) for sequence in range(len(EXPRESSIONS))
    ]


def write_sequence(root: Path, parameters: SetParameters, subject: int, sequence: int) -> list[Row]:
    """Write the images of one sequence and their annotations."""
    subset, first = _numbered(subject, sequence)
    images, annotations = root / subset / IMAGES, root / subset / ANNOTATIONS
    images.mkdir(parents=True, exist_ok=True)
    annotations.mkdir(parents=True, exist_ok=True)
    shown = zip(frames_shown(parameters), labels_shown(sequence), strict=True)
    for number, (frame, label) in enumerate(shown, start=first):
        picture, points = draw_frame(parameters, subject, sequence, frame)
        (images / f"{number}.jpg").write_bytes(encode_jpeg(picture))
        code = CODE_OF_LABEL[label]
        # Synthetic faces have no ratings, so valence and arousal are always those of a neutral face.
        for end, value in ((CODE_FILE, code), ("_val.npy", 0.0), ("_aro.npy", 0.0)):
            np.save(
                annotations / f"{number}{end}",
                np.array(value if subset == CONTENTS[1] else str(value)),
                allow_pickle=False,
            )
        np.save(annotations / f"{number}{POINTS_FILE}", points.ravel(), allow_pickle=False)
    return []


def finish(root: Path, parameters: SetParameters, rows: list[Row]) -> None:
    """Create both folders, even if a small set fills only one; this layout has no index."""
    for subset in SUBSETS:
        for folder in (IMAGES, ANNOTATIONS):
            (root / subset / folder).mkdir(parents=True, exist_ok=True)


def _numbered(subject: int, sequence: int) -> tuple[str, int]:
    """The folder of a sequence, and the number of its first image in it."""
    place = subject * len(EXPRESSIONS) + sequence
    before = place // VALIDATION_EVERY  # sequences in val_set before this one
    training, validation = CONTENTS
    if place % VALIDATION_EVERY == VALIDATION_EVERY - 1:
        return validation, 4 * before
    return training, 4 * (place - before)
