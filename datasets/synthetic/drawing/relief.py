"""Relief of the face: soft volumes, lips and furrows, each moved by its action units.

Light is computed from the height map (datasets/synthetic/drawing/light.py), so the appearance of a furrow
depends on the direction of the light.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datasets.synthetic.drawing.canvas import Patch, bump, polygon, strokes
from datasets.synthetic.drawing.face import SIDES, Face, on_head
from datasets.synthetic.drawing.geometry import smooth_curve

Volume = tuple[tuple[float, float, float], float, float, float]
"""Centre, horizontal radius, vertical radius, height: a smooth hill or hollow, in face units."""


def _nose(face: Face) -> Iterator[Volume]:
    who, tip = face.who, face.points[30]
    yield on_head(0, 0.5 * tip[1] - 0.04, 0.08), 0.27, 0.68, 0.085 * who.nose_bridge
    yield on_head(0, 0.66 * tip[1], 0.12), 0.33, 0.5, 0.10 * who.nose_bridge
    yield on_head(0, 0.72 * tip[1], 0.14), 0.17, 0.5, 0.035 * who.nose_bridge
    yield on_head(0, tip[1] - 0.005, 0.26), 0.26 * who.nose_tip, 0.24, 0.16
    yield on_head(0, tip[1] + 0.08, 0.2), 0.16, 0.1, 0.05
    for s in SIDES:
        wing = face.point(31, s)
        yield on_head(wing[0] - 0.012 * s, wing[1] - 0.035, 0.1), 0.125, 0.125, 0.115
        yield on_head(0.17 * s, 0.24), 0.2, 0.2, 0.05 * face.unit(9, s)


def _eyes(face: Face) -> Iterator[Volume]:
    for s in SIDES:
        x = 0.5 * (face.point(36, s)[0] + face.point(39, s)[0])
        brow, inner_brow = face.point(19, s), face.point(21, s)
        yield on_head(x, 0.0), 0.36, 0.24, -0.12
        yield on_head(x - 0.16 * s, -0.02), 0.22, 0.2, -0.08
        yield on_head(x, 0.0), 0.25, 0.17, 0.085
        yield on_head(brow[0], brow[1] + 0.07), 0.46, 0.18, 0.055
        yield on_head(inner_brow[0], inner_brow[1]), 0.22, 0.16, 0.025 + 0.06 * face.unit(4, s)


def _cheeks(face: Face) -> Iterator[Volume]:
    fat = face.who.cheek_fullness
    for s in SIDES:
        corner = face.point(48, s)
        smile, sneer = face.unit(12, s), max(face.unit(9, s), face.unit(10, s))
        raised = max(face.unit(6, s), 0.75 * smile)
        dimple = face.unit(14, s)
        yield on_head(0.54 * s, 0.34), 0.48, 0.42, 0.08 * fat
        yield on_head(0.49 * s, 0.36 - 0.06 * raised), 0.40, 0.30, 0.22 * raised
        yield on_head(0.56 * s, 0.62), 0.44, 0.44, 0.16 * smile
        yield on_head(0.42 * s, 0.17), 0.28, 0.1, 0.05 * face.unit(6, s)
        yield on_head(0.64 * s, 0.66), 0.36, 0.42, -0.05 / fat
        yield on_head(corner[0] + 0.13 * s, corner[1] - 0.01), 0.17, 0.22, 0.02 + 0.03 * smile + 0.05 * dimple
        yield (
            on_head(corner[0] + 0.015 * s, corner[1] + 0.01),
            0.075,
            0.09,
            -0.03 - 0.045 * max(dimple, 0.2 * smile),
        )
        yield on_head(0.22 * s, 0.6), 0.22, 0.2, 0.06 * sneer


def _mouth_and_chin(face: Face) -> Iterator[Volume]:
    top, bottom, chin, nose = face.points[51], face.points[57], face.points[8], face.points[33]
    raised = face.unit(17)
    sulcus = bottom[1] + 0.09
    yield on_head(0, 0.86), 0.52, 0.38, 0.10
    yield on_head(0, 0.5 * (nose[1] + top[1]) + 0.01, 0.1), 0.055, 0.14, -0.03
    yield on_head(0, sulcus), 0.32, 0.12, -0.085 - 0.03 * raised
    yield on_head(0, 0.5 * (sulcus + chin[1]) + 0.05), 0.36 * face.who.chin_width, 0.26, 0.11 + 0.06 * raised


def _lip_ridges(face: Face) -> list[tuple[np.ndarray, float, float]]:
    """Strokes along the middle of both lips, where they protrude most."""
    points = face.points
    upper = 0.45 * points[49:54] + 0.55 * points[[61, 61, 62, 63, 63]]
    upper[[0, -1], 0] = points[[49, 53], 0]
    lower = 0.5 * points[55:60] + 0.5 * points[[65, 65, 66, 67, 67]]
    lower[[0, -1], 0] = points[[55, 59], 0]
    thickness = [
        max(1.0, 0.55 * face.scale * max(0.02, high))
        for high in (points[62, 1] - points[51, 1], points[57, 1] - points[66, 1])
    ]
    return [
        (face.pixels(smooth_curve(upper)), thickness[0], 0.7),
        (face.pixels(smooth_curve(lower)), thickness[1], 1.0),
    ]


def height_map(face: Face, outline: np.ndarray, head: Patch, folds: tuple[Patch, Patch]) -> np.ndarray:
    """float32 [S, S]: height towards the viewer in pixels, within the box of the head.

    `outline`: (n, 2), outline of the head in pixels; `head`: the patch inside; `folds`: furrows, sharp and
    broad.
    """
    size, scale = face.size, face.scale
    heights = np.zeros((size, size), np.float32)
    heights[head.box] = _dome(face, head)
    volumes = [
        volume for part in (_nose, _eyes, _cheeks, _mouth_and_chin) for volume in part(face) if volume[3]
    ]
    for place, across, down, height in volumes:
        hill = bump(face.pixel(place), (across * scale, down * scale), face.projection.roll, size)
        _raise(heights, hill, height * scale)
    lips = face.pixels(smooth_curve(face.points[48:60], closed=True))
    _raise(heights, polygon(lips, size, 0.02 * scale), 0.035 * scale)
    _raise(heights, strokes(_lip_ridges(face), size, 0.022 * scale), 0.04 * scale)
    _raise(heights, folds[0], -0.022 * scale)
    _raise(heights, folds[1], -0.05 * scale)
    _raise(heights, polygon(outline, size, 0.05 * scale), 0.12 * scale)
    return heights


def _dome(face: Face, head: Patch) -> np.ndarray:
    """float32 [h, w]: the head without features, in the box of the head."""
    scale, centre = face.scale, face.pixel((0.0, 0.12, 0.0))
    x, y = (
        (np.arange(places.start, places.stop, dtype=np.float32) - np.float32(middle))
        * np.float32(1 / (radius * scale))
        for places, middle, radius in ((head.columns, centre[0], 1.12), (head.rows, centre[1], 1.72))
    )
    dome = (np.float32(1.02) - x * x)[None, :] - (y * y)[:, None]
    np.maximum(dome, np.float32(0.015), out=dome)
    np.sqrt(dome, out=dome)
    dome *= np.float32(0.85 * scale)
    return dome


def _raise(heights: np.ndarray, patch: Patch, height: float) -> None:
    area = heights[patch.box]
    area += np.float32(height) * patch.alpha
