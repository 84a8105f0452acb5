"""Folds and lines of the skin, driven by action units and by age.

Appearance follows Ekman, Friesen, Hager, *Facial Action Coding System* (2002).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from datasets.synthetic.drawing.canvas import Line, Patch, strokes_of_each_softness
from datasets.synthetic.drawing.face import SIDES, Face
from datasets.synthetic.drawing.geometry import smooth_curve

Furrow = tuple[list[tuple[float, float]], float, float]
"""Control points in face units, strength in [0, 1], thickness in face units."""


def furrow_lines(face: Face) -> list[Line]:
    """All visible furrows of a face."""
    wanted: list[Furrow] = []
    for side in SIDES:
        for part in (_cheek, _mouth_corner, _glabella, _nose, _eye, _forehead):
            wanted.extend(furrow for furrow in part(face, side) if furrow[1] > 0.01)
    wanted.extend(furrow for furrow in _chin(face) if furrow[1] > 0.01)
    if not wanted:
        return []
    # Curves with equal numbers of points are computed together, because they are many and short.
    curves: dict[int, Iterator[np.ndarray]] = {}
    for count in {len(points) for points, _, _ in wanted}:
        places = [points for points, _, _ in wanted if len(points) == count]
        curves[count] = iter(smooth_curve(face.pixels(places)))
    return [
        (next(curves[len(points)]), thickness * face.scale, min(1.0, strength))
        for points, strength, thickness in wanted
    ]


def furrow_patches(face: Face) -> tuple[Patch, Patch]:
    """The furrows of a face in two patches of equal extent: sharp, and with broad soft flanks."""
    scale = face.scale
    sharp, broad = strokes_of_each_softness(
        furrow_lines(face), face.size, (0.011 * scale, 0.032 * scale), margin=0.08 * scale + 3
    )
    return sharp, broad


def _cheek(face: Face, s: int) -> Iterator[Furrow]:
    """The nasolabial fold: faint at rest, deep in a smile, a sneer or with a raised lip."""
    corner, wing = face.point(48, s), face.point(31, s)
    smile, lift = face.unit(12, s), max(face.unit(9, s), face.unit(10, s))
    depth = (
        0.10 + 0.34 * face.who.age + 0.85 * max(smile, lift) + 0.2 * max(face.unit(20, s), face.unit(6, s))
    )
    bow = 0.05 + 0.05 * smile
    middle_x, middle_y = 0.5 * (wing[0] + corner[0]), 0.5 * (wing[1] + corner[1])
    yield (
        [
            (wing[0] + 0.05 * s, wing[1] - 0.07 - 0.02 * lift),
            (wing[0] + (0.12 + 0.02 * lift) * s, wing[1] + 0.02),
            (middle_x + (0.10 + bow) * s, middle_y + 0.01),
            (corner[0] + (0.11 + 0.5 * bow) * s, corner[1] + 0.02 * smile),
            (corner[0] + (0.12 + 0.3 * bow) * s, corner[1] + 0.10 + 0.04 * smile),
        ],
        depth,
        0.03,
    )


def _mouth_corner(face: Face, s: int) -> Iterator[Furrow]:
    """The line below a lowered mouth corner, and the dimple next to a tightened one."""
    corner = face.point(48, s)
    yield (
        [
            (corner[0] + 0.05 * s, corner[1] + 0.04),
            (corner[0] + 0.09 * s, corner[1] + 0.12),
            (corner[0] + 0.09 * s, corner[1] + 0.23),
        ],
        0.15 * face.who.age + 0.75 * face.unit(15, s) + 0.15 * face.unit(20, s),
        0.028,
    )
    yield (
        [
            (corner[0] + 0.04 * s, corner[1] - 0.085),
            (corner[0] + 0.07 * s, corner[1]),
            (corner[0] + 0.045 * s, corner[1] + 0.07),
        ],
        0.95 * face.unit(14, s),
        0.034,
    )


def _glabella(face: Face, s: int) -> Iterator[Furrow]:
    """Vertical lines between lowered brows; oblique lines above inner ends that are raised and drawn
    together."""
    x, y = face.point(21, s)[:2]
    yield (
        [(x - 0.015 * s, y - 0.13), (x - 0.045 * s, y - 0.02), (x - 0.035 * s, y + 0.09)],
        0.10 * face.who.age + 0.95 * face.unit(4, s),
        0.024,
    )
    yield (
        [(x - 0.05 * s, y - 0.03), (x + 0.15 * s, y - 0.13)],
        0.5 * min(face.unit(1, s), 2.0 * face.unit(4, s)),
        0.024,
    )


def _nose(face: Face, s: int) -> Iterator[Furrow]:
    """The groove around the nose wing, and wrinkles beside the bridge of a wrinkled nose."""
    wing = face.point(31, s)
    raised = face.unit(9, s)
    yield (
        [
            (wing[0] + 0.005 * s, wing[1] - 0.13),
            (wing[0] + 0.055 * s, wing[1] - 0.075),
            (wing[0] + 0.06 * s, wing[1] - 0.01),
            (wing[0] + 0.02 * s, wing[1] + 0.02),
        ],
        0.38 + 0.25 * max(raised, face.unit(10, s)),
        0.022,
    )
    for step in range(3):
        y = 0.0 + 0.08 * step
        yield (
            [(0.02 * s, y + 0.03), (0.1 * s, y), (0.18 * s, y - 0.055 + 0.02 * step)],
            (0.95 - 0.15 * step) * raised,
            0.022,
        )


def _eye(face: Face, s: int) -> Iterator[Furrow]:
    """Crow's feet and the fold under the eye."""
    outer, low, low_inner = face.point(36, s), face.point(41, s), face.point(40, s)
    age, cheek = face.who.age, face.unit(6, s)
    for rise in (-0.07, 0.0, 0.07):
        yield (
            [(outer[0] + 0.05 * s, outer[1] + 0.3 * rise), (outer[0] + 0.2 * s, outer[1] + 1.3 * rise)],
            0.25 * age * (rise >= 0) + 0.65 * cheek,
            0.016,
        )
    squeeze = max(cheek, 0.8 * face.unit(7, s), 0.7 * face.unit(9, s))
    yield (
        [
            (low_inner[0] - 0.1 * s, low_inner[1] + 0.025),
            (low_inner[0], low_inner[1] + 0.05),
            (low[0] + 0.01 * s, low[1] + 0.055),
            (low[0] + 0.13 * s, low[1] + 0.025),
        ],
        0.14 + 0.25 * age + 0.5 * squeeze,
        0.02,
    )


def _forehead(face: Face, s: int) -> Iterator[Furrow]:
    """Horizontal lines above a raised brow; only the inner part if the outer end stays down."""
    age, inner, outer = face.who.age, face.unit(1, s), face.unit(2, s)
    for step in range(3):
        y = -0.50 - 0.115 * step
        inner_y, outer_y = y - 0.03 * inner, y - 0.03 * outer + 0.04 * max(0.0, inner - outer)
        middle_y = 0.5 * (inner_y + outer_y) - 0.01
        fade = 1.0 - 0.12 * step
        yield (
            [(0.0, inner_y + 0.012), (0.2 * s, inner_y - 0.012), (0.44 * s, middle_y)],
            0.2 * age + fade * max(inner * (0.5 + 0.35 * min(1.0, 2 * outer)), 0.8 * outer),
            0.024,
        )
        yield ([(0.44 * s, middle_y), (0.66 * s, outer_y + 0.035)], 0.18 * age + 0.75 * fade * outer, 0.024)


def _chin(face: Face) -> Iterator[Furrow]:
    """The furrow below the lower lip, and the pitted skin of a raised chin."""
    chin, raised = face.points[8], face.unit(17)
    sulcus = face.points[57, 1] + 0.085
    yield (
        [(-0.17, sulcus + 0.03), (0.0, sulcus - 0.012), (0.17, sulcus + 0.03)],
        0.08 + 0.15 * face.who.age + 0.6 * raised,
        0.032,
    )
    for x, along in (
        (-0.11, 0.62),
        (-0.03, 0.5),
        (0.06, 0.63),
        (0.12, 0.5),
        (-0.06, 0.78),
        (0.04, 0.8),
        (0.0, 0.64),
        (-0.14, 0.78),
    ):
        y = sulcus + (chin[1] - sulcus) * along
        yield ([(x - 0.014, y - 0.014), (x + 0.014, y + 0.018)], 0.7 * raised, 0.03)
