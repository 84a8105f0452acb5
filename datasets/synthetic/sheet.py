"""Contact sheets of many faces, for visual inspection."""

from __future__ import annotations

import cv2
import numpy as np

from datasets.synthetic.action_units import Intensities
from datasets.synthetic.drawing.renderer import Shot, render_face
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.identity import draw_identity
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS, PROTOTYPES

_HEADER_PIXELS = 22


def preview_sheet(parameters: SetParameters, people: int = 6, cell_pixels: int = 128) -> np.ndarray:
    """uint8 [H, W, 3] RGB: one row per person, columns for neutral and for the apex of each expression."""
    rows = []
    for subject in range(min(people, parameters.subjects)):
        cells = [(0, 0)] + [(sequence, parameters.frames - 1) for sequence in range(len(EXPRESSIONS))]
        faces = [draw_frame(parameters, subject, sequence, frame)[0] for sequence, frame in cells]
        rows.append(np.hstack([_fit(face, cell_pixels) for face in faces]))
    return np.vstack([_header(("neutral", *EXPRESSIONS), cell_pixels), *rows])


def prototype_units(expression: str) -> Intensities:
    """The apex of an expression's prototype at full strength, one-sided for contempt."""
    chosen = dict(PROTOTYPES.get(expression, {}))
    if expression == "surprise":
        chosen |= {26: 0.5, 27: 0.6}
    elif expression == "fear":
        chosen |= {26: 0.4}
    elif expression == "happiness":
        chosen |= {25: 0.7}
    elif expression == "disgust":
        chosen |= {4: 0.4, 17: 0.4}
    return {number: (0.0 if expression == "contempt" else level, level) for number, level in chosen.items()}


def contact_sheet(seed: int, people: int, cell_pixels: int = 256) -> np.ndarray:
    """uint8 [H, W, 3] RGB: people × prototypical expressions, frontal, under one light."""
    names = ("neutral", *EXPRESSIONS)
    rows = [_header(names, cell_pixels)]
    for subject in range(people):
        who = draw_identity(seed, subject)
        rows.append(
            np.hstack([render_face(who, prototype_units(name), Shot(), cell_pixels)[0] for name in names])
        )
    return np.vstack(rows)


def _header(names: tuple[str, ...], cell_pixels: int) -> np.ndarray:
    strip = np.full((_HEADER_PIXELS, cell_pixels * len(names), 3), 255, np.uint8)
    for column, name in enumerate(names):
        place = (column * cell_pixels + 6, _HEADER_PIXELS - 7)
        cv2.putText(strip, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return strip


def _fit(face: np.ndarray, cell_pixels: int) -> np.ndarray:
    shrink = face.shape[0] > cell_pixels
    return cv2.resize(
        face, (cell_pixels, cell_pixels), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC
    )
