"""Surroundings of the face: hair, ears, neck, clothes and glasses."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from datasets.synthetic.drawing.canvas import Patch, bump, darken, hairs, linear, paint, polygon, tapered
from datasets.synthetic.drawing.face import SIDES, Face
from datasets.synthetic.drawing.geometry import smooth_curve
from datasets.synthetic.identity import Identity
from datasets.synthetic.randomness import generator

_ARC = np.array([(-1, 0), (-0.985, -0.3), (-0.9, -0.58), (-0.7, -0.83), (-0.38, -0.97), (0, -1.0)])
_ARC = np.concatenate([_ARC, _ARC[-2::-1] * (-1, 1)])
# The hairline of the image-left half, from the ear to the midline, for each style.
_HAIRLINES = {
    "shaved": [(-0.9, -0.1), (-0.84, -0.42), (-0.66, -0.72), (-0.34, -0.88), (0.0, -0.92)],
    "short": [(-0.9, -0.02), (-0.82, -0.36), (-0.7, -0.66), (-0.36, -0.84), (0.0, -0.86)],
    "side_parted": [(-0.92, 0.1), (-0.84, -0.28), (-0.74, -0.55), (-0.4, -0.76), (0.0, -0.84)],
    "fringe": [(-0.93, 0.15), (-0.84, -0.22), (-0.66, -0.46), (-0.34, -0.5), (0.0, -0.52)],
    "long": [(-0.95, 0.3), (-0.84, -0.2), (-0.7, -0.58), (-0.36, -0.86), (0.0, -0.93)],
    "curly": [(-0.96, 0.1), (-0.86, -0.25), (-0.74, -0.56), (-0.4, -0.74), (0.0, -0.78)],
    "receding": [(-0.9, 0.0), (-0.84, -0.4), (-0.72, -0.8), (-0.5, -1.12), (0.0, -1.0)],
}
_VOLUME = {
    "shaved": 1.0,
    "short": 1.06,
    "side_parted": 1.1,
    "fringe": 1.1,
    "long": 1.12,
    "curly": 1.26,
    "receding": 1.03,
}


def skull_arc(who: Identity, growth: float = 1.0, back: float = -0.25) -> np.ndarray:
    """(n, 3): the outline of the skull from the image-left temple over the crown to the right one."""
    arc = _ARC * np.array([0.955 * who.face_width * growth, (1.4 + who.forehead_height) * growth]) + (
        0.0,
        -0.04,
    )
    return np.column_stack([arc, np.full(len(arc), back)])


def head_outline(face: Face) -> np.ndarray:
    """(n, 2): the closed outline of face and skull in pixels, through landmarks 0 to 16."""
    jaw = smooth_curve(face.points[:17])
    arc = smooth_curve(skull_arc(face.who))
    return face.pixels(np.concatenate([jaw, arc[::-1][3:-3]]))


def paint_behind(image: np.ndarray, face: Face, light_x: float, brightness: float) -> None:
    """Paint long hair, neck, shoulders and ears."""
    who, size, scale = face.who, face.size, face.scale
    hair = linear(who.hair) * np.float32(0.8 * brightness)
    if who.hair_style in ("long", "curly"):
        low = 1.7 if who.hair_style == "long" else 0.9
        wide = 1.06 if who.hair_style == "long" else 1.3
        back = [
            (-1.05, -0.5),
            (-wide, 0.2),
            (-wide, low - 0.3),
            (-0.9, low),
            (0.9, low),
            (wide, low - 0.3),
            (wide, 0.2),
            (1.05, -0.5),
        ]
        curve = np.array([(x * who.face_width, y, -0.6) for x, y in back])
        paint(
            image,
            polygon(face.pixels(smooth_curve(curve, closed=True)), size, 0.03 * scale),
            hair * np.float32(0.6),
        )
    skin = linear(who.skin) * np.float32(brightness)
    neck_width = 0.56 * who.jaw_width * who.face_width
    neck = [
        (-neck_width, 0.7),
        (-neck_width * 1.02, 1.5),
        (-neck_width * 1.35, 2.1),
        (neck_width * 1.35, 2.1),
        (neck_width * 1.02, 1.5),
        (neck_width, 0.7),
    ]
    neck_px = face.pixels(np.array([(x, y, -0.45) for x, y in neck]))
    paint(image, polygon(neck_px, size, 0.02 * scale), skin * np.float32(0.62))
    chin = face.pixel(face.rest[8] + (0.0, 0.12, -0.3))
    darken(image, bump(chin, (0.9 * scale, 0.55 * scale), face.projection.roll, size), 0.45)
    shoulders = [
        (-2.6, 2.6),
        (-2.3, 2.05),
        (-1.4, 1.86),
        (-0.62, 1.72),
        (-0.3, 1.98),
        (0.3, 1.98),
        (0.62, 1.72),
        (1.4, 1.86),
        (2.3, 2.05),
        (2.6, 2.6),
    ]
    cloth = face.pixels(smooth_curve(np.array([(x, y, -0.5) for x, y in shoulders])))
    paint(image, polygon(cloth, size, 0.015 * scale), linear(who.cloth) * np.float32(0.8 * brightness))
    for side in SIDES:
        ear = face.pixel((0.985 * side * who.face_width, 0.13, -0.3))
        lit = np.float32(0.8 + 0.15 * side * light_x)
        hill = bump(ear, (0.2 * scale, 0.38 * scale), face.projection.roll, size)
        np.minimum(hill.alpha * np.float32(6), np.float32(1), out=hill.alpha)
        paint(image, hill, skin * lit)
        darken(image, bump(ear, (0.1 * scale, 0.2 * scale), face.projection.roll, size), 0.4)


def paint_hair(image: np.ndarray, face: Face, brightness: float) -> None:
    """Paint the front hair over the finished face: a cap with strands."""
    who, size, scale = face.who, face.size, face.scale
    outline, strands = _cap(who)
    cap = face.pixels(outline)
    colour = linear(who.hair) * np.float32(brightness)
    patch = polygon(cap, size, (0.05 if who.hair_style == "shaved" else 0.02) * scale)
    if who.hair_style == "shaved":
        paint(image, patch, colour * np.float32(0.8), 0.45)
        return
    paint(image, patch, colour * np.float32(0.75))
    if who.hair_style == "long":
        _paint_curtains(image, face, colour)
    # Halved once, which is exact, instead of in each call of paint.
    faint = Patch(patch.rows, patch.columns, patch.alpha * np.float32(0.5))
    curves = face.pixels(strands)
    for turn, (factor, strengths) in enumerate(((0.4, (0.7, 0.3)), (1.9, (0.37, 0.7)))):
        strand = hairs(curves[turn::2], 0.012 * scale, strengths, size, 0.007 * scale)
        paint(image, strand.within(faint), colour * np.float32(factor))


@lru_cache(maxsize=8)
def _cap(who: Identity) -> tuple[np.ndarray, np.ndarray]:
    """The closed outline (n, 3) of the hair in front of the skull, and its strands (k, m, 3), face units."""
    line = np.array(_HAIRLINES[who.hair_style])
    line[:, 0] *= who.face_width
    line[:, 1] -= np.where(line[:, 1] < -0.3, 0.9 * who.forehead_height, 0.0)
    line = np.concatenate([line, line[-2::-1] * (-1, 1)])
    if who.hair_style == "side_parted":
        line[4:8, 1] += (0.02, 0.1, 0.16, 0.12)
    front = smooth_curve(np.column_stack([line, 0.45 - 0.75 * np.abs(line[:, 0])]))
    outer = smooth_curve(skull_arc(who, _VOLUME[who.hair_style]))
    outline, strands = np.concatenate([outer, front[::-1]]), _strands(who.key, outer, front)
    for kept in (outline, strands):
        kept.setflags(write=False)
    return outline, strands


def _strands(key: int, outer: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Curves (n, m, 3) from the outline of the crown to the hairline."""
    draws = generator(key, 6).random((170, 3))
    first = outer[np.minimum((draws[:, 0] * len(outer)).astype(np.int64), len(outer) - 1)] * 0.995
    last = front[np.minimum((draws[:, 0] * len(front)).astype(np.int64), len(front) - 1)]
    bend = np.column_stack(
        [(draws[:, 2] - 0.5) * 0.16, np.full(len(draws), -0.04), np.full(len(draws), 0.15)]
    )
    shorten = (0.45 * draws[:, 1])[:, None]
    middle = 0.5 * (first + last) + bend
    return smooth_curve(np.stack([first + (middle - first) * shorten, middle, last], axis=1), steps=4)


def _paint_curtains(image: np.ndarray, face: Face, colour: np.ndarray) -> None:
    """Paint long hair that falls over the ears, in front of the shoulders."""
    size, scale, width = face.size, face.scale, face.who.face_width
    draws = generator(face.who.key, 8).random((2, 40, 3))
    for side, lock in zip(SIDES, draws, strict=True):
        spine = np.array(
            [(0.7, -0.75, 0.0), (0.97, -0.2, 0.0), (1.02, 0.5, -0.1), (1.0, 1.2, -0.1), (0.92, 1.75, -0.1)]
        )
        line = face.pixels(smooth_curve(spine * (side * width, 1.0, 1.0)))
        half = scale * np.concatenate([np.linspace(0.02, 0.15, len(line) - 6), np.linspace(0.15, 0.05, 6)])
        body = polygon(tapered(line, half), size, 0.02 * scale)
        paint(image, body, colour * np.float32(0.75))
        shifts = (lock[:, 0] - 0.5)[:, None] * 1.7 * half[None, :]
        curves = np.stack(
            [line[None, :, 0] + shifts, np.broadcast_to(line[None, :, 1], shifts.shape)], axis=-1
        )
        for part, factor in ((curves[::2], 0.4), (curves[1::2], 1.5)):
            paint(
                image,
                hairs(part, 0.012 * scale, (0.7,), size, 0.007 * scale),
                colour * np.float32(factor),
                0.5,
            )


def paint_glasses(image: np.ndarray, face: Face) -> None:
    """Paint rims, bridge and temples of glasses."""
    who, size, scale = face.who, face.size, face.scale
    corners = [(-1, -0.55), (-0.6, -1), (0.6, -1), (1, -0.5), (0.9, 0.6), (0.5, 1), (-0.5, 1), (-0.9, 0.6)]
    if who.glasses == 1:
        corners = [(-1, 0), (-0.7, -0.75), (0, -1), (0.7, -0.75), (1, 0), (0.7, 0.75), (0, 1), (-0.7, 0.75)]
    lines = []
    for side in SIDES:
        centre = face.rest[36:42].sum(axis=0) / 6 if side < 0 else face.rest[42:48].sum(axis=0) / 6
        ring = smooth_curve(
            np.array(
                [(centre[0] + 0.285 * x * -side, centre[1] + 0.04 + 0.21 * y, 0.62) for x, y in corners]
            ),
            closed=True,
        )
        ring_px = face.pixels(np.concatenate([ring, ring[:1]]))
        lines.append((ring_px, 0.013))
        hinge = np.array(
            [(centre[0] + 0.285 * side, centre[1] - 0.03, 0.62), (0.97 * side * who.face_width, 0.0, -0.2)]
        )
        lines.append((face.pixels(hinge), 0.011))
    left, right = face.rest[39], face.rest[42]
    bridge = np.array([(left[0] + 0.1, 0.0, 0.64), (0.0, -0.04, 0.7), (right[0] - 0.1, 0.0, 0.64)])
    lines.append((face.pixels(smooth_curve(bridge)), 0.013))
    for line, half_width in lines:
        rim = polygon(tapered(line, np.full(len(line), half_width * scale)), size, 0.005 * scale)
        paint(image, rim, linear((34, 30, 30)), 0.9)
