"""Oulu-CASIA's native layout (docs/methods.md, §6): image sequences of six expressions, without landmarks."""

from __future__ import annotations

from pathlib import Path

from datasets.oulu_casia import EXPRESSION_OF_FOLDER, ILLUMINATION, IMAGES, LIGHT
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import Row
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from datasets.synthetic.pictures import encode_jpeg

DATASET = "oulu_casia"
CONTENTS = (IMAGES,)
FOLDER_OF_EXPRESSION = {expression: folder for folder, expression in EXPRESSION_OF_FOLDER.items()}


def subject_name(parameters: SetParameters, subject: int) -> str:
    """`P001` ...; an in-the-wild set shows other people, numbered from `P501`."""
    return f"P{subject + (501 if parameters.in_the_wild else 1):03d}"


def places(parameters: SetParameters) -> list[tuple[int, int]]:
    """The six expressions of every subject; contempt is left out."""
    return [
        (subject, sequence)
        for subject in range(parameters.subjects)
        for sequence, expression in enumerate(EXPRESSIONS)
        if expression in FOLDER_OF_EXPRESSION
    ]


def frames_a_place(parameters: SetParameters) -> int:
    """The whole sequence, neutral to apex."""
    return parameters.frames


def write_sequence(root: Path, parameters: SetParameters, subject: int, sequence: int) -> list[Row]:
    """Write all frames of one sequence."""
    person, expression = subject_name(parameters, subject), FOLDER_OF_EXPRESSION[EXPRESSIONS[sequence]]
    folder = root / IMAGES / LIGHT / ILLUMINATION / person / expression
    folder.mkdir(parents=True, exist_ok=True)
    for frame in range(parameters.frames):
        picture, _ = draw_frame(parameters, subject, sequence, frame)
        (folder / f"{frame:03d}.jpeg").write_bytes(encode_jpeg(picture))
    return []


def finish(root: Path, parameters: SetParameters, rows: list[Row]) -> None:
    """Oulu-CASIA has no index."""
