"""The mouth: lips, the line between them, and teeth, tongue and cavity of an open mouth."""

from __future__ import annotations

import numpy as np

from datasets.synthetic.drawing.canvas import Patch, clipped, darken, linear, paint, polygon, strokes
from datasets.synthetic.drawing.face import Face
from datasets.synthetic.drawing.geometry import smooth_curve


def lips_patch(face: Face, softness: float = 0.008) -> Patch:
    """The area inside the outer outline of the lips."""
    outline = face.pixels(smooth_curve(face.points[48:60], closed=True))
    return polygon(outline, face.size, softness * face.scale)


def paint_mouth(image: np.ndarray, face: Face, glow: float) -> None:
    """Paint the opening of the mouth and its inside over skin and lips; `glow`: brightness of the light."""
    scale, size, points = face.scale, face.size, face.points
    inner = face.pixels(smooth_curve(points[60:68], closed=True))
    gap = points[66, 1] - points[62, 1]
    opening = polygon(inner, size, 0.006 * scale)
    if gap > 0.006:
        with clipped(image, opening, 0.2 * scale):
            paint(image, polygon(inner, size, 0.03 * scale), linear((46, 16, 18)))
            _paint_tongue_and_teeth(image, face, gap, glow)
    seam = face.pixels(smooth_curve(points[60:65]))
    darken(image, strokes([(seam, 0.016 * scale, 1.0)], size, 0.008 * scale), (0.62, 0.72, 0.72))
    for side, corner in ((-1, 48), (1, 54)):
        inward = points[corner] + (-0.03 * side, 0.004, 0.0)
        line = face.pixels(np.stack([points[corner], inward]))
        darken(image, strokes([(line, 0.026 * scale, 0.9)], size, 0.014 * scale), (0.4, 0.5, 0.5))


def _paint_tongue_and_teeth(image: np.ndarray, face: Face, gap: float, glow: float) -> None:
    scale, size, points = face.scale, face.size, face.points
    upper, lower = smooth_curve(points[60:65]), smooth_curve(points[[64, 65, 66, 67, 60]])[::-1]
    if gap > 0.12:
        tongue = lower.copy()
        tongue[:, 1] -= 0.42 * (gap - 0.06)
        outline = face.pixels(np.concatenate([lower, tongue[::-1]]))
        paint(image, polygon(outline, size, 0.035 * scale), linear((168, 82, 84)) * np.float32(0.8 * glow))
    # Upper teeth are fixed to the skull, so the lip decides how much of them is visible.
    visible = min(0.105, 0.9 * gap)
    lift = face.rest[62, 1] - points[62, 1]
    show = min(visible, 0.06 + 0.6 * max(0.0, lift) + 0.05 * face.unit(12, 0))
    edge = upper.copy()
    centre = np.clip(1.0 - (edge[:, 0] - points[62, 0]) ** 2 / 0.075, 0.25, 1.0)
    edge[:, 1] += show * centre
    teeth = face.pixels(np.concatenate([upper - (0, 0.02, 0), edge[::-1]]))
    ivory = linear((240, 232, 218)) * np.float32(glow)
    paint(image, polygon(teeth, size, 0.009 * scale), ivory)
    middle, root, depth = points[62].tolist()
    gaps = [
        [(middle + step * 0.072, y, depth) for y in (root - 0.02, root + show * 1.05)]
        for step in range(-3, 4)
    ]
    lines = [(line, 0.008 * scale, 0.5) for line in face.pixels(gaps)]
    darken(image, strokes(lines, size, 0.006 * scale), 0.2)
    bare = 0.55 * max(face.unit(16, 0), face.unit(20, 0), 0.5 * face.unit(25, 0) * (gap < 0.16))
    if bare > 0.1 and gap > 0.07:
        edge = lower.copy()
        edge[:, 1] -= 0.075 * bare * np.clip(1.0 - (edge[:, 0] - points[66, 0]) ** 2 / 0.06, 0.0, 1.0)
        outline = face.pixels(np.concatenate([lower + (0, 0.02, 0), edge[::-1]]))
        paint(image, polygon(outline, size, 0.01 * scale), ivory * np.float32(0.75))
    shadow = face.pixels(upper + (0, 0.012, 0))
    darken(image, strokes([(shadow, 0.03 * scale, 0.9)], size, 0.018 * scale), 0.4)
