"""Eyes and brows: eyeball, iris, pupil, glint, lids, lashes and brow hairs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from datasets.synthetic.drawing.canvas import (
    clipped,
    darken,
    disc,
    hairs,
    linear,
    paint,
    polygon,
    strokes,
    tapered,
)
from datasets.synthetic.drawing.face import SIDES, Face
from datasets.synthetic.drawing.geometry import smooth_curve
from datasets.synthetic.randomness import generator

IRIS_RADIUS = 0.08
"""In face units: a diameter of 11.7 mm at a pupil distance of 63 mm."""
_RING = {-1: (36, 37, 38, 39, 40, 41), 1: (45, 44, 43, 42, 47, 46)}
_BROW = {-1: (17, 18, 19, 20, 21), 1: (26, 25, 24, 23, 22)}


def eye_centre(face: Face, side: int) -> np.ndarray:
    """(3,): the centre of the eye at rest, face units; the eyeball does not move with the lids."""
    part = slice(36, 42) if side < 0 else slice(42, 48)
    return face.rest[part].sum(axis=0) / 6.0


def _disc(
    image: np.ndarray, middle: Sequence[float], radius: float, colour: np.ndarray, opacity: float = 1.0
) -> None:
    paint(image, disc(middle, radius, max(1.2, 0.16 * radius), image.shape[1]), colour, opacity)


def paint_eyes(image: np.ndarray, face: Face, gaze: tuple[float, float], light_x: float) -> None:
    """Paint both eyes. `gaze` offsets the irises, face units; `light_x` puts the glint on the light's
    side."""
    scale = face.scale
    for side in SIDES:
        ring = face.points[list(_RING[side])]
        outline = face.pixels(smooth_curve(ring, closed=True))
        opening = polygon(outline, face.size, 0.005 * scale)
        with clipped(image, opening, 0.25 * scale):
            _paint_eyeball(image, face, side, outline, gaze, light_x)
        _paint_lids(image, face, side, ring)


def _paint_eyeball(
    image: np.ndarray,
    face: Face,
    side: int,
    outline: np.ndarray,
    gaze: tuple[float, float],
    light_x: float,
) -> None:
    scale, size, who = face.scale, face.size, face.who
    opening = polygon(outline, size, 0.03 * scale)
    if not opening.alpha.size:
        return
    # Lids and eyeball receive the same light: compare the lids' brightness with the skin colour.
    around = image[1, opening.rows, opening.columns]
    glow = float(np.minimum(np.maximum(_median(around) / (linear(who.skin)[1] + 0.03), 0.3), 1.1))
    paint(image, opening, linear((222, 212, 206)) * np.float32(0.8 * glow))
    middle = face.pixel(eye_centre(face, side) + (gaze[0], gaze[1], 0.0))
    radius = IRIS_RADIUS * scale
    _disc(image, middle, radius, linear(who.iris) * np.float32(0.3 * glow))
    _disc(
        image,
        (middle[0], middle[1] + 0.05 * radius),
        0.86 * radius,
        linear(who.iris) * np.float32(1.1 * glow),
    )
    _disc(image, middle, 0.42 * radius, linear((9, 7, 7)))
    lid = face.pixels(smooth_curve(face.points[list(_RING[side][:4])]))
    darken(image, strokes([(lid, 0.055 * scale, 1.0)], size, 0.018 * scale), 0.62)
    glint = middle[0] + (0.36 if light_x > 0 else -0.36) * radius, middle[1] - 0.34 * radius
    _disc(image, glint, 0.17 * radius, linear((255, 255, 255)), 0.85)


def _median(values: np.ndarray) -> np.floating:
    """As `numpy.median`, which for so few values takes longer than painting the eye."""
    ordered, middle = np.sort(values, axis=None), values.size // 2
    return ordered[middle] if values.size % 2 else np.float32(0.5) * (ordered[middle - 1] + ordered[middle])


def _paint_lids(image: np.ndarray, face: Face, side: int, ring: np.ndarray) -> None:
    scale, size, who = face.scale, face.size, face.who
    upper, lower = smooth_curve(ring[:4]), smooth_curve(ring[[3, 4, 5, 0]])
    lash = face.pixels(upper)
    width = np.full(len(lash), 0.011 * scale)
    width[:6] *= 1.25
    width[-4:] *= 0.5
    dark = linear(who.hair) * np.float32(0.25)
    paint(image, polygon(tapered(lash, width), size, 0.006 * scale), dark, 0.85)
    darken(image, strokes([(face.pixels(lower), 0.012 * scale, 0.8)], size, 0.006 * scale), 0.35)
    # The crease follows the upper lid at a distance that lowered brows and raised lids reduce.
    lowered = max(face.unit(4, side), 0.6 * face.unit(9, side))
    gap = max(
        0.012, who.lid_crease - 0.045 * lowered - 0.035 * face.unit(5, side) + 0.02 * face.unit(1, side)
    )
    crease = upper.copy()
    arch = np.linspace(-1.0, 1.0, len(crease))
    crease[:, 1] -= gap * (1.0 - 0.55 * arch * arch) + 0.006
    darken(
        image,
        strokes([(face.pixels(crease), 0.016 * scale, 1.0)], size, 0.009 * scale),
        (0.42, 0.5, 0.52),
    )
    inner = face.pixel(ring[3])
    caruncle = inner[0] + 0.012 * side * scale, inner[1] + 0.002 * scale
    _disc(image, caruncle, 0.016 * scale, linear((170, 96, 90)), 0.5)


@lru_cache(maxsize=16)
def _brow_draws(key: int, side: int) -> np.ndarray:
    """float64 (54, 3), uniform in [0, 1): position, offset and length of each hair of a brow."""
    draws = generator(key, 7, side + 1).random((54, 3))
    draws.setflags(write=False)
    return draws


def paint_brows(image: np.ndarray, face: Face) -> None:
    """Paint both brows: a soft body along the five landmarks, and hairs that lean outwards."""
    scale, size, who = face.scale, face.size, face.who
    for side in SIDES:
        spine = smooth_curve(face.points[list(_BROW[side])])
        along = np.linspace(0.0, 1.0, len(spine))
        thickness = 0.047 * who.brow_thickness * (0.3 + 1.25 * along - 0.62 * along * along * along)
        line = face.pixels(spine)
        body = polygon(tapered(line, thickness * scale), size, 0.014 * scale)
        colour = linear(who.hair) * np.float32(0.55)
        paint(image, body, colour, 0.68)
        draws = _brow_draws(who.key, side)
        place, across, length = draws[:, 0], 2.0 * draws[:, 1] - 1.0, 0.6 + 0.6 * draws[:, 2]
        index = np.minimum((place * (len(line) - 3)).astype(np.int64), len(line) - 3)
        start = line[index]
        start[:, 1] += 0.75 * across * thickness[index] * scale
        lean = np.column_stack(
            [side * (0.05 - 0.01 * place), 0.02 * place - 0.03 * across * place - 0.045 * (1.0 - place)]
        )
        ends = start + lean * length[:, None] * scale
        growth = hairs(np.stack([start, ends], axis=1), max(1.0, 0.008 * scale), (0.85,), size, 0.0)
        paint(image, growth, colour * np.float32(0.6), 0.4)
