"""Backgrounds of in-the-wild faces: a few streets per set, of which every frame shows another part."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from datasets.synthetic.drawing.canvas import bump, linear, noise, paint, polygon
from datasets.synthetic.drawing.geometry import smooth_curve
from datasets.synthetic.randomness import bell, between, chance, generator

STREETS = 24
"""Streets of one set. All people share them, so no street identifies a person."""

_KEY = 20_000
"""First key of the streets' generators, above the number of any subject."""


def draw_street(random: np.random.Generator, seed: int, size: int) -> np.ndarray:
    """float32 [3, S, S] linear light: part of one of the set's streets, possibly mirrored, out of focus."""
    street = _street(seed, int(random.integers(STREETS)), size)
    top, left = (int(offset) for offset in random.integers(0, street.shape[1] - size + 1, 2))
    part = street[:, top : top + size, left : left + size]
    if chance(random, 0.5):
        part = part[:, :, ::-1]
    image = part.astype(np.float32, order="C")
    image *= np.float32(between(random, 0.8, 1.1) / 255)
    image *= image
    return image


@lru_cache(maxsize=STREETS)
def _street(seed: int, number: int, size: int) -> np.ndarray:
    """uint8 [3, 2 S, 2 S] RGB with gamma 2: walls, openings and lights."""
    random = generator(seed, _KEY + number, 11)
    # Nothing is sharp, so half the size suffices. In uint8, because blurs of floats differ between machines.
    half = _paint_street(random, size)
    half *= np.float32(1) + np.float32(0.12) * noise(random, size, size, 4)
    np.sqrt(np.minimum(half, np.float32(1)), out=half)
    half *= np.float32(255)
    return np.stack(
        [
            cv2.resize(levels, (2 * size, 2 * size), interpolation=cv2.INTER_LINEAR_EXACT)
            for levels in half.astype(np.uint8)
        ]
    )


def _paint_street(random: np.random.Generator, side: int) -> np.ndarray:
    """float32 [3, side, side]: a street twice as wide and high as the part in a frame."""
    unit = side / 2
    image = np.empty((3, side, side), np.float32)
    image[:] = linear(muted(random, 50, 190))[:, None, None]
    horizon = side * between(random, 0.35, 0.8)
    floor = np.array(
        [(-1, horizon), (side + 1, horizon + bell(random, 0.1 * unit)), (side + 1, side + 9), (-1, side + 9)]
    )
    paint(image, polygon(floor, side, 0.01 * unit), linear(muted(random, 30, 150)))
    focus = between(random, 0.006, 0.03) * unit
    for _ in range(int(random.integers(30, 50))):
        x, y = random.random(2) * side
        wide, high = unit * between(random, 0.04, 0.3), unit * between(random, 0.08, 0.5)
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (wide, high) + (x, y)
        corners += (random.random((4, 2)) - 0.5) * 0.3 * wide
        shape = smooth_curve(corners, closed=True) if chance(random, 0.35) else corners
        paint(image, polygon(shape, side, focus), linear(muted(random, 15, 235)), between(random, 0.5, 1.0))
    for _ in range(int(random.integers(4, 20))):
        place, reach = random.random(2) * side, unit * between(random, 0.02, 0.06)
        paint(image, bump(place, (reach, reach), (1.0, 0.0), side), linear(muted(random, 200, 255)), 0.8)
    return image


def muted(random: np.random.Generator, low: float, high: float) -> list[float]:
    """An sRGB colour with brightness between `low` and `high`, rarely saturated."""
    tone, loudness = between(random, low, high), 12.0 if chance(random, 0.8) else 45.0
    return [min(255.0, max(0.0, tone + bell(random, loudness))) for _ in range(3)]
