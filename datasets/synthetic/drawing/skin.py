"""Colour of the skin: tone, redness, texture, freckles, beard and lips."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datasets.synthetic.drawing.canvas import (
    Patch,
    bump,
    common,
    darken,
    hairs,
    linear,
    moved,
    noise,
    paint,
    polygon,
)
from datasets.synthetic.drawing.face import SIDES, Face, on_head
from datasets.synthetic.drawing.geometry import smooth_curve
from datasets.synthetic.drawing.mouth import lips_patch
from datasets.synthetic.randomness import generator

_TEXTURE_SIDE = 192


def skin_texture(key: int) -> np.ndarray:
    """float32 [192, 192] in about [-1, 1]: the skin texture of a person, over a square of 3.6 face units."""
    random = generator(key, 3)
    layers = ((3, 0.35), (8, 0.35), (24, 0.5))
    total = np.zeros((_TEXTURE_SIDE, _TEXTURE_SIDE), np.float32)
    for grain, weight in layers:
        total += np.float32(weight) * noise(random, _TEXTURE_SIDE, _TEXTURE_SIDE, grain)
    return total


def _anchored(texture: np.ndarray, face: Face, box: tuple[slice, slice]) -> np.ndarray:
    """The texture attached to the head: the nearest sample at each pixel of the box."""
    cosine, sine = face.projection.roll
    origin = face.pixel((0.0, 0.15, 0.7))
    step = _TEXTURE_SIDE / 3.6 / face.scale
    x = np.arange(box[1].start, box[1].stop, dtype=np.float32) - np.float32(origin[0])
    y = np.arange(box[0].start, box[0].stop, dtype=np.float32) - np.float32(origin[1])
    half = np.float32(_TEXTURE_SIDE / 2)
    column = np.float32(cosine * step) * x[None, :] + np.float32(sine * step) * y[:, None] + half
    row = np.float32(cosine * step) * y[:, None] - np.float32(sine * step) * x[None, :] + half
    for patch, (along, down) in _pulls(face):
        rows, columns = common(patch.rows, box[0]), common(patch.columns, box[1])
        inner = (moved(rows, box[0].start), moved(columns, box[1].start))
        alpha = patch.alpha[moved(rows, patch.rows.start), moved(columns, patch.columns.start)]
        # Skin seen here was elsewhere at rest.
        for place, pull in ((column, along), (row, down)):
            if pull:
                pulled = place[inner]
                pulled -= np.float32(pull * step * face.scale) * alpha
    limit = np.float32(_TEXTURE_SIDE - 1)
    index = np.clip(row, np.float32(0), limit, out=row).astype(np.intp)
    index *= _TEXTURE_SIDE
    index += np.clip(column, np.float32(0), limit, out=column).astype(np.intp)
    return texture.ravel().take(index)


def _pulls(face: Face) -> Iterator[tuple[Patch, tuple[float, float]]]:
    """Areas where muscles pull the skin, and the displacements (to the right and down, face units)."""
    for side in SIDES:
        smile, dimple = face.unit(12, side), face.unit(14, side)
        lift = max(
            0.06 * face.unit(6, side), 0.09 * smile, 0.07 * face.unit(9, side), 0.05 * face.unit(10, side)
        )
        brow = 0.05 * face.unit(4, side) - 0.08 * max(face.unit(1, side), face.unit(2, side))
        for place, across, down, shift in (
            (on_head(0.52 * side, 0.45), 0.36, 0.46, (side * max(0.06 * smile, 0.05 * dimple), -lift)),
            (on_head(0.38 * side, -0.72), 0.5, 0.42, (0.0, brow)),
        ):
            if shift != (0.0, 0.0):
                radii = across * face.scale, down * face.scale
                yield bump(face.pixel(place), radii, face.projection.roll, face.size), shift


def skin_albedo(face: Face, head: Patch, texture: np.ndarray, folds: Patch) -> np.ndarray:
    """float32 [3, S, S]: linear colour of skin and lips, within the box of the head."""
    who, size, scale, roll = face.who, face.size, face.scale, face.projection.roll
    uneven = np.float32(0.11 * who.texture) * _anchored(texture, face, head.box)
    uneven += np.float32(1)
    colour = np.zeros((3, size, size), np.float32)
    np.multiply(linear(who.skin)[:, None, None], uneven, out=colour[:, head.rows, head.columns])
    points = face.points
    for side in SIDES:
        eye = points[36:42] if side < 0 else points[42:48]
        eye_x = float(eye[:, 0].sum() / 6)
        for x, y, across, down, amount in (
            (0.5 * side, 0.36, 0.4, 0.32, (0.02, 0.13, 0.11)),
            (eye_x, 0.015, 0.3, 0.2, (0.14, 0.2, 0.17)),
            (
                eye_x - 0.05 * side,
                0.15 + 0.01 * who.age,
                0.24,
                0.09,
                (0.1 + 0.08 * who.age, 0.14 + 0.08 * who.age, 0.1),
            ),
        ):
            patch = bump(face.pixel(on_head(x, y)), (across * scale, down * scale), roll, size)
            darken(colour, patch, amount)
    tip = face.pixel(points[30])
    darken(colour, bump(tip, (0.2 * scale, 0.16 * scale), roll, size), (0.0, 0.1, 0.09))
    _paint_cheeks(colour, face)
    # Folds are dark under any direction of light.
    darken(colour, folds, (0.32, 0.42, 0.44))
    if who.freckles:
        _paint_freckles(colour, face)
    if who.beard != "none":
        _paint_beard(colour, face)
    lips = lips_patch(face)
    paint(colour, lips, linear(who.lips), 0.8)
    upper = face.pixels(np.concatenate([smooth_curve(points[48:55]), smooth_curve(points[60:65])[::-1]]))
    darken(colour, polygon(upper, size, 0.012 * scale), 0.18)
    for side, wing in ((-1, 32), (1, 34)):
        nostril = face.pixel(points[wing] + (0.012 * side, -0.022, 0.0))
        darken(colour, bump(nostril, (0.078 * scale, 0.05 * scale), roll, size), (0.95, 1.0, 1.0))
    base = face.pixel(points[33] + (0.0, 0.015, -0.02))
    darken(colour, bump(base, (0.26 * scale, 0.08 * scale), roll, size), (0.3, 0.38, 0.38))
    return colour


def _paint_cheeks(colour: np.ndarray, face: Face) -> None:
    """Paint raised cheeks, independent of light: bright stretched skin on top, shade along the fold."""
    scale, size, roll = face.scale, face.size, face.projection.roll
    for side in SIDES:
        smile, sneer = face.unit(12, side), max(face.unit(9, side), face.unit(10, side))
        raised = max(face.unit(6, side), 0.85 * smile)
        wing, corner = face.point(31, side), face.point(48, side)
        fold = on_head(0.5 * (wing[0] + corner[0]) + 0.1 * side, 0.5 * (wing[1] + corner[1]))
        beside = on_head(corner[0] + 0.13 * side, corner[1] - 0.02)
        for place, across, down, amount in (
            (on_head(0.5 * side, 0.32), 0.36, 0.27, -0.3 * raised),
            (fold, 0.2, 0.26, 0.34 * max(smile, 0.8 * sneer)),
            (beside, 0.2, 0.26, 0.3 * smile),
        ):
            if amount:
                darken(colour, bump(face.pixel(place), (across * scale, down * scale), roll, size), amount)


def _paint_freckles(colour: np.ndarray, face: Face) -> None:
    places = generator(face.who.key, 4).random((70, 2))[: int(20 + 50 * face.who.freckles)]
    spots = face.pixels(np.column_stack([(places[:, 0] - 0.5) * 1.35, 0.12 + 0.42 * places[:, 1]]))
    dots = np.stack([spots, spots + (0.3, 0.0)], axis=1)
    softness = 0.006 * face.scale
    patch = hairs(dots, max(1.0, 0.018 * face.scale), (0.35, 0.65), face.size, softness)
    darken(colour, patch, (0.2, 0.3, 0.36))


def _paint_beard(colour: np.ndarray, face: Face) -> None:
    """Paint stubble, moustache or full beard, which move with jaw and lips."""
    who, points, scale, size = face.who, face.points, face.scale, face.size
    nose, lip = points[33], points[51]
    moustache = [
        (0.0, nose[1] + 0.06),
        (0.2, nose[1] + 0.09),
        (0.4, points[54, 1] + 0.0),
        (0.37, points[54, 1] + 0.07),
    ]
    outline = moustache + [(0.26, points[53, 1] - 0.01), (0.0, lip[1] + 0.0)]
    outline += [(-x, y) for x, y in reversed(outline[1:-1])]
    areas = [(face.pixels(smooth_curve(np.array(outline), closed=True)), 0.03)]
    if who.beard in ("full", "stubble"):
        jaw = points[1:16, :2]
        inner = [
            (0.66, 0.62),
            (0.42, points[54, 1] + 0.02),
            (0.3, points[57, 1] + 0.02),
            (0.0, points[57, 1] + 0.05),
            (-0.3, points[57, 1] + 0.02),
            (-0.42, points[48, 1] + 0.02),
            (-0.66, 0.62),
        ]
        areas.append((face.pixels(smooth_curve(np.concatenate([jaw, np.array(inner)]), closed=True)), 0.07))
    opacity = 0.28 if who.beard == "stubble" else 0.8
    for area, softness in areas:
        patch = polygon(area, size, softness * scale)
        grain = generator(who.key, 5).integers(0, 256, patch.alpha.shape, dtype=np.uint8).astype(
            np.float32
        ) * np.float32(1 / 255)
        mottled = Patch(
            patch.rows, patch.columns, patch.alpha * (np.float32(0.62) + np.float32(0.38) * grain)
        )
        paint(colour, mottled, linear(who.hair) * np.float32(0.7), opacity)
