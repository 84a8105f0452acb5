"""CK+'s native layout (docs/methods.md, §6): image sequences, emotion labels, 68 landmarks."""

from __future__ import annotations

from pathlib import Path

from datasets.ckplus import EXPRESSION_OF_CODE, IMAGES, LABELS, LANDMARKS
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import Row, everyones_sequences
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from datasets.synthetic.pictures import encode_png

DATASET = "ckplus"
CONTENTS = (IMAGES, LABELS, LANDMARKS)
CODE_OF_EXPRESSION = {name: code for code, name in EXPRESSION_OF_CODE.items()}
UNLABELLED_EVERY = 5
"""One of this many subjects has an eighth sequence without label, like many in CK+."""


def subject_name(parameters: SetParameters, subject: int) -> str:
    """`S001` ...; an in-the-wild set shows other people, numbered from `S501`."""
    return f"S{subject + (501 if parameters.in_the_wild else 1):03d}"


def places(parameters: SetParameters) -> list[tuple[int, int]]:
    """The seven expressions of every subject, and the unlabelled sequences of some."""
    return everyones_sequences(parameters, UNLABELLED_EVERY)


def frames_a_place(parameters: SetParameters) -> int:
    """The whole sequence, neutral to apex."""
    return parameters.frames


def write_sequence(root: Path, parameters: SetParameters, subject: int, sequence: int) -> list[Row]:
    """Write all frames of one sequence with their landmarks, and its label."""
    person, number = subject_name(parameters, subject), f"{sequence + 1:03d}"
    folders = [root / content / person / number for content in CONTENTS]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    images, labels, landmarks = folders
    name = ""
    for frame in range(parameters.frames):
        picture, points = draw_frame(parameters, subject, sequence, frame)
        name = f"{person}_{number}_{frame + 1:08d}"
        (images / f"{name}.png").write_bytes(encode_png(picture))
        lines = "".join(f"   {x:.7e}   {y:.7e}\n" for x, y in points)
        (landmarks / f"{name}_landmarks.txt").write_text(lines, encoding="ascii")
    if sequence < len(EXPRESSIONS):
        code = float(CODE_OF_EXPRESSION[EXPRESSIONS[sequence]])
        (labels / f"{name}_emotion.txt").write_text(f"   {code:.7e}\n", encoding="ascii")
    return []


def finish(root: Path, parameters: SetParameters, rows: list[Row]) -> None:
    """CK+ has no index."""
