"""Drawing primitives with bit-identical results on every machine.

Masks are 8-bit, from OpenCV's integer polygon filling and fixed-point Gaussian blur. All float32 arithmetic
is element-wise with +, -, *, / and sqrt, which IEEE 754 defines exactly. Smooth shapes are polynomials with
compact support, so each changes only a known box of pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

_SUBPIXEL_BITS = 4
_PLACES = np.arange(2048, dtype=np.float32)
"""Pixel coordinates; frames are drawn at most 1024 pixels wide."""
_GRID = 8
"""Masks begin and end at multiples of this many pixels, so that halving them always samples the same
places."""
_HALVED_FROM = 1.75
"""Blurs of more pixels than this are computed at half the size, at a quarter of the cost."""
Line = tuple[np.ndarray, float, float]
"""Curve (n, 2) in pixels, thickness in pixels, strength in [0, 1]."""


class Patch(NamedTuple):
    """A mask of part of the frame."""

    rows: slice
    columns: slice
    alpha: np.ndarray
    """float32 [h, w] in [0, 1]."""

    @property
    def box(self) -> tuple[slice, slice]:
        """Index of the covered pixels of a frame."""
        return self.rows, self.columns

    def within(self, other: Patch) -> Patch:
        """The intersection with another patch: both alphas multiplied."""
        rows, columns = common(self.rows, other.rows), common(self.columns, other.columns)
        own, others = (
            patch.alpha[moved(rows, patch.rows.start), moved(columns, patch.columns.start)]
            for patch in (self, other)
        )
        return Patch(rows, columns, own * others)


def common(one: slice, other: slice) -> slice:
    """The intersection of two slices; empty if they are disjoint."""
    start = max(one.start, other.start)
    return slice(start, max(start, min(one.stop, other.stop)))


def moved(places: slice, origin: int) -> slice:
    """The slice relative to `origin`."""
    return slice(places.start - origin, places.stop - origin)


EMPTY = Patch(slice(0, 0), slice(0, 0), np.zeros((0, 0), np.float32))
"""A patch that covers nothing."""


@lru_cache(maxsize=256)
def _linear(colour: tuple[float, ...]) -> np.ndarray:
    share = np.asarray(colour, dtype=np.float32) / np.float32(255)
    share *= share
    share.setflags(write=False)
    return share


def linear(colour: Sequence[float]) -> np.ndarray:
    """float32 (3,) linear light of an sRGB colour in [0, 255], with gamma 2, whose inverse is an exact
    sqrt."""
    return _linear(tuple(colour))


@dataclass(frozen=True)
class _Mask:
    """An empty mask for lines, and their points in its fixed-point coordinates."""

    levels: np.ndarray
    """uint8 [h, w]"""
    left: int
    top: int
    points: np.ndarray
    """int32 (n, 2) or (k, n, 2)"""

    def patch(self, softness: float) -> Patch:
        """The drawn mask, blurred by `softness` pixels."""
        height, width = self.levels.shape
        alpha = _blur(self.levels, softness).astype(np.float32)
        alpha *= np.float32(1 / 255)
        return Patch(slice(self.top, self.top + height), slice(self.left, self.left + width), alpha)


def _mask(points: np.ndarray, margin: float, size: int) -> _Mask | None:
    """A mask that extends `margin` pixels around points (..., 2); None if it lies outside the frame."""
    if not points.size:
        return None
    flat = points.reshape(-1, 2)
    low_x, low_y = np.minimum.reduce(flat).tolist()
    high_x, high_y = np.maximum.reduce(flat).tolist()
    left = max(0, math.floor(low_x - margin) // _GRID * _GRID)
    top = max(0, math.floor(low_y - margin) // _GRID * _GRID)
    right = min(size, (math.ceil(high_x + margin) // _GRID + 1) * _GRID)
    bottom = min(size, (math.ceil(high_y + margin) // _GRID + 1) * _GRID)
    if right <= left or bottom <= top:
        return None
    shifted = points - (left, top)
    shifted *= 1 << _SUBPIXEL_BITS
    fixed = np.rint(shifted, out=shifted).astype(np.int32, order="C")
    return _Mask(np.zeros((bottom - top, right - left), np.uint8), left, top, fixed)


def _blur(mask: np.ndarray, softness: float) -> np.ndarray:
    if softness < 0.35:
        return mask
    if softness > _HALVED_FROM and min(mask.shape) > 8:
        height, width = mask.shape
        odd = height % 2 or width % 2
        even = cv2.copyMakeBorder(mask, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE) if odd else mask
        small = cv2.resize(
            even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_LINEAR_EXACT
        )
        blurred = _blur(small, 0.5 * softness)
        return cv2.resize(blurred, even.shape[::-1], interpolation=cv2.INTER_LINEAR_EXACT)[:height, :width]
    kernel = 2 * math.ceil(2.3 * softness) + 1
    return cv2.GaussianBlur(mask, (kernel, kernel), round(softness, 3), borderType=cv2.BORDER_REPLICATE)


def polygon(points: np.ndarray, size: int, softness: float = 0.0) -> Patch:
    """The interior of a closed curve (n, 2) in pixels, blurred by `softness` pixels."""
    mask = _mask(points, 2.3 * softness + 3, size)
    if mask is None:
        return EMPTY
    cv2.fillPoly(mask.levels, [mask.points], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    return mask.patch(softness)


def hairs(
    curves: np.ndarray, thickness: float, strengths: Sequence[float], size: int, softness: float
) -> Patch:
    """Many lines (k, n, 2), in pixels, of one thickness (pixels), with alternating strengths in [0, 1]."""
    mask = _mask(curves, 2.3 * softness + 3 + thickness, size)
    if mask is None:
        return EMPTY
    for turn, strength in enumerate(strengths):
        _draw_lines(mask, list(mask.points[turn :: len(strengths)]), thickness, strength)
    return mask.patch(softness)


def strokes(lines: Sequence[Line], size: int, softness: float) -> Patch:
    """Lines blurred by `softness` pixels; later lines cover earlier ones."""
    return strokes_of_each_softness(lines, size, (softness,), 2.3 * softness + 3)[0]


def strokes_of_each_softness(
    lines: Sequence[Line], size: int, softnesses: Sequence[float], margin: float
) -> list[Patch]:
    """The same lines blurred by each softness, in patches of equal extent: `margin` pixels around the
    lines."""
    lines = [line for line in lines if line[2] > 0.004]
    if not lines:
        return [EMPTY for _ in softnesses]
    together = np.concatenate([line[0] for line in lines]) if len(lines) > 1 else lines[0][0]
    mask = _mask(together, margin + max(line[1] for line in lines), size)
    if mask is None:
        return [EMPTY for _ in softnesses]
    first = 0
    for points, thickness, strength in lines:
        last = first + len(points)
        _draw_lines(mask, [mask.points[first:last]], thickness, strength)
        first = last
    return [mask.patch(softness) for softness in softnesses]


def _draw_lines(mask: _Mask, lines: list[np.ndarray], thickness: float, strength: float) -> None:
    value = min(255, round(255 * strength * min(1.0, thickness)))
    cv2.polylines(mask.levels, lines, False, value, max(1, round(thickness)), cv2.LINE_AA, _SUBPIXEL_BITS)


def disc(centre: Sequence[float] | np.ndarray, radius: float, edge: float, size: int) -> Patch:
    """A disc whose border of `edge` pixels fades from 1 to 0 around the radius, both in pixels."""
    reach = radius + edge
    left, right = max(0, math.ceil(centre[0] - reach)), min(size, math.floor(centre[0] + reach) + 1)
    top, bottom = max(0, math.ceil(centre[1] - reach)), min(size, math.floor(centre[1] + reach) + 1)
    if right <= left or bottom <= top:
        return EMPTY
    x = _PLACES[left:right] - np.float32(centre[0])
    y = _PLACES[top:bottom] - np.float32(centre[1])
    distance = np.sqrt((x * x)[None, :] + (y * y)[:, None])
    alpha = np.float32(radius) - distance
    alpha *= np.float32(1 / edge)
    alpha += np.float32(0.5)
    np.maximum(alpha, np.float32(0), out=alpha)
    np.minimum(alpha, np.float32(1), out=alpha)
    return Patch(slice(top, bottom), slice(left, right), alpha)


def tapered(points: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """The outline (2n, 2) of a line (n, 2) with half-widths `widths` (n,), in pixels."""
    along = np.empty_like(points)
    along[1:-1] = points[2:] - points[:-2]
    along[0], along[-1] = points[1] - points[0], points[-1] - points[-2]
    length = np.sqrt(along[:, 0] * along[:, 0] + along[:, 1] * along[:, 1]) + 1e-9
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / length[:, None] * widths[:, None]
    return np.concatenate([points + across, (points - across)[::-1]])


def bump(
    centre: Sequence[float] | np.ndarray, radii: Sequence[float], roll: tuple[float, float], size: int
) -> Patch:
    """A smooth hill of height 1: (1 - q)³ inside the ellipse q < 1, zero outside.

    `centre` and `radii` (horizontal, vertical) in pixels; `roll`: cosine and sine of the ellipse's angle.
    """
    cosine, sine = roll
    reach_x = math.sqrt((radii[0] * cosine) ** 2 + (radii[1] * sine) ** 2)
    reach_y = math.sqrt((radii[0] * sine) ** 2 + (radii[1] * cosine) ** 2)
    left, right = max(0, math.ceil(centre[0] - reach_x)), min(size, math.floor(centre[0] + reach_x) + 1)
    top, bottom = max(0, math.ceil(centre[1] - reach_y)), min(size, math.floor(centre[1] + reach_y) + 1)
    if right <= left or bottom <= top:
        return EMPTY
    x = _PLACES[left:right] - np.float32(centre[0])
    y = _PLACES[top:bottom] - np.float32(centre[1])
    wide, tall = 1.0 / (radii[0] * radii[0]), 1.0 / (radii[1] * radii[1])
    xx = np.float32(cosine * cosine * wide + sine * sine * tall)
    yy = np.float32(sine * sine * wide + cosine * cosine * tall)
    xy = np.float32(2.0 * cosine * sine * (wide - tall))
    inside = (np.float32(1) - xx * x * x)[None, :] - (yy * y * y)[:, None]
    if xy:
        inside -= (y * xy)[:, None] * x[None, :]
    np.maximum(inside, np.float32(0), out=inside)
    hill = inside * inside
    hill *= inside
    return Patch(slice(top, bottom), slice(left, right), hill)


def paint(image: np.ndarray, patch: Patch, colour: np.ndarray, opacity: float = 1.0) -> None:
    """Blend `colour` (3,) or [3, h, w], linear light, into `image` float32 [3, S, S] by the patch."""
    area = image[:, patch.rows, patch.columns]
    if not area.size:
        return
    alpha = patch.alpha if opacity == 1.0 else patch.alpha * np.float32(opacity)
    area *= np.float32(1) - alpha
    area += alpha * (colour if colour.ndim == 3 else colour[:, None, None])


def darken(image: np.ndarray, patch: Patch, amount: float | Sequence[float]) -> None:
    """Multiply `image` float32 [3, S, S] by 1 - amount * alpha; `amount` may be given per channel (3,)."""
    area = image[:, patch.rows, patch.columns]
    share = np.asarray(amount, dtype=np.float32)
    lost = patch.alpha * (share[:, None, None] if share.ndim else share)
    area *= np.subtract(np.float32(1), lost, out=lost)


@contextmanager
def clipped(image: np.ndarray, patch: Patch, margin: float) -> Iterator[None]:
    """Context that clips drawing on `image` to the patch; drawing may extend `margin` pixels around it."""
    size, reach = image.shape[1], math.ceil(margin)
    rows = slice(max(0, patch.rows.start - reach), min(size, patch.rows.stop + reach))
    columns = slice(max(0, patch.columns.start - reach), min(size, patch.columns.stop + reach))
    area = image[:, rows, columns]
    before = area.copy()
    yield
    # The drawn difference times alpha is added to `before`, so nothing changes outside the patch.
    result = before
    inside = result[:, moved(patch.rows, rows.start), moved(patch.columns, columns.start)]
    drawn = image[:, patch.rows, patch.columns] - inside
    drawn *= patch.alpha
    inside += drawn
    area[:] = result


def noise(random: np.random.Generator, height: int, width: int, grain: int) -> np.ndarray:
    """float32 [height, width]: smooth noise in [-1, 1] with features of about `grain` pixels."""
    levels = random.integers(0, 256, (height // grain + 2, width // grain + 2), dtype=np.uint8)
    if grain > 1:
        levels = cv2.resize(levels, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[assignment]
    return levels[:height, :width].astype(np.float32) * np.float32(2 / 255) - np.float32(1)
