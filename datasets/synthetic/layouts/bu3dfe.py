"""BU-3DFE's native layout (docs/methods.md, §6): 25 photographs of each subject, without landmarks."""

from __future__ import annotations

from pathlib import Path

from datasets.bu3dfe import EXPRESSION_OF_CODE, LEVELS, NEUTRAL
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import Row
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from datasets.synthetic.pictures import encode_bmp
from platform.errors import UserError

DATASET = "bu3dfe"
ETHNICITIES = ("WH", "BL", "AE", "IN")
"""Two letters in a photograph's name, assigned in turn: synthetic faces have no stated ethnicity."""
CONTENTS = tuple(f"{sex}{number:04d}" for number in (*range(1, 251), *range(501, 751)) for sex in "FM")
"""All possible names of subject folders (up to 500 people, in the wild or not)."""


def subject_name(parameters: SetParameters, subject: int) -> str:
    """`F0001`, `M0001`, `F0002` ...; people of in-the-wild sets are numbered from `F0501`."""
    return f"{'FM'[subject % 2]}{subject // 2 + (501 if parameters.in_the_wild else 1):04d}"


def places(parameters: SetParameters) -> list[tuple[int, int]]:
    """One place per subject, because its single neutral face belongs to no expression.

    Raises UserError if a sequence has too few frames for a neutral face and four levels.
    """
    if parameters.frames <= len(LEVELS):
        raise UserError(
            f"BU-3DFE needs at least {len(LEVELS) + 1} frames per sequence, a neutral one and {len(LEVELS)} "
            f"levels, but got {parameters.frames}; pass --frames {len(LEVELS) + 1}."
        )
    return [(subject, 0) for subject in range(parameters.subjects)]


def frames_a_place(parameters: SetParameters) -> int:
    """Four levels of six expressions, and the neutral face."""
    return len(LEVELS) * len(EXPRESSION_OF_CODE) + 1


def write_sequence(root: Path, parameters: SetParameters, subject: int, sequence: int) -> list[Row]:
    """Write all photographs of one subject: the first frame is neutral, the last four are the levels."""
    person, ethnicity = subject_name(parameters, subject), ETHNICITIES[subject % len(ETHNICITIES)]
    (root / person).mkdir(parents=True, exist_ok=True)
    shown = [(NEUTRAL, 0, 0, 0)]
    for code, expression in EXPRESSION_OF_CODE.items():
        for level in LEVELS:
            frame = parameters.frames - len(LEVELS) + level - 1
            shown.append((code, level, EXPRESSIONS.index(expression), frame))
    for code, level, number, frame in shown:
        picture, _ = draw_frame(parameters, subject, number, frame)
        (root / person / f"{person}_{code}{level:02d}{ethnicity}_F2D.bmp").write_bytes(encode_bmp(picture))
    return []


def finish(root: Path, parameters: SetParameters, rows: list[Row]) -> None:
    """BU-3DFE has no index."""
