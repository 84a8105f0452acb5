"""Drawing primitives whose result is the same on every machine, to the bit.

Masks are 8-bit and made by OpenCV's integer polygon filling and its fixed-point Gaussian blur; all
float32 arithmetic is element by element with +, -, *, / and sqrt, which IEEE 754 defines exactly.
Smooth shapes are polynomials of compact support, so each changes only a known box of pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np

_SUBPIXEL_BITS = 4
_GRID = 8
"""Masks begin and end at multiples of this many pixels: halving them samples the same places always."""
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Patch:
    """A mask of part of the frame."""

    rows: slice
    columns: slice
    alpha: np.ndarray
    """float32 [h, w] in [0, 1]."""

    @property
    def box(self) -> tuple[slice, slice]:
        """Index of the covered pixels of a frame."""
        return self.rows, self.columns

    def blurred(self, softness: float) -> Patch:
        """The patch blurred by `softness` pixels, over the same pixels."""
        if not self.alpha.size:
            return self
        mask = np.rint(self.alpha * np.float32(255)).astype(np.uint8)
        return Patch(self.rows, self.columns, _blur(mask, softness).astype(np.float32) * np.float32(1 / 255))

    def times(self, other: np.ndarray | float) -> Patch:
        """The patch with its alpha multiplied by a number or by a whole-frame mask."""
        factor = other[self.box] if isinstance(other, np.ndarray) else np.float32(other)
        return Patch(self.rows, self.columns, self.alpha * factor)


EMPTY = Patch(slice(0, 0), slice(0, 0), np.zeros((0, 0), np.float32))
"""A patch that covers nothing."""


def linear(colour: Sequence[float]) -> np.ndarray:
    """float32 (3,) linear light of an sRGB colour in [0, 255]; gamma 2, whose inverse is an exact sqrt."""
    share = np.asarray(colour, dtype=np.float32) / np.float32(255)
    return share * share


def _box(points: np.ndarray, margin: float, size: int) -> tuple[int, int, int, int] | None:
    low_x, low_y = points.min(axis=0).tolist()
    high_x, high_y = points.max(axis=0).tolist()
    left, top = (max(0, math.floor(low - margin) // _GRID * _GRID) for low in (low_x, low_y))
    right, bottom = (min(size, (math.ceil(high + margin) // _GRID + 1) * _GRID) for high in (high_x, high_y))
    return (left, top, right, bottom) if right > left and bottom > top else None


def _fixed_point(points: np.ndarray, left: int, top: int) -> np.ndarray:
    return np.rint((points - (left, top)) * (1 << _SUBPIXEL_BITS)).astype(np.int32, order="C")


def _blur(mask: np.ndarray, softness: float) -> np.ndarray:
    if softness < 0.35:
        return mask
    if softness > 3.0 and min(mask.shape) > 8:
        height, width = mask.shape
        even = cv2.copyMakeBorder(mask, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        small = cv2.resize(
            even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_LINEAR_EXACT
        )
        blurred = _blur(small, 0.5 * softness)
        return cv2.resize(blurred, even.shape[::-1], interpolation=cv2.INTER_LINEAR_EXACT)[:height, :width]
    kernel = 2 * math.ceil(2.3 * softness) + 1
    return cv2.GaussianBlur(mask, (kernel, kernel), round(softness, 3), borderType=cv2.BORDER_REPLICATE)


def _patch(mask: np.ndarray, left: int, top: int) -> Patch:
    height, width = mask.shape
    alpha = mask.astype(np.float32) * np.float32(1 / 255)
    return Patch(slice(top, top + height), slice(left, left + width), alpha)


def polygon(points: np.ndarray, size: int, softness: float = 0.0) -> Patch:
    """The inside of a closed curve (n, 2) in pixels, its edge blurred by `softness` pixels."""
    box = _box(points, 2.3 * softness + 3, size)
    if box is None:
        return EMPTY
    left, top, right, bottom = box
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(mask, [_fixed_point(points, left, top)], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    return _patch(_blur(mask, softness), left, top)


def hairs(curves: np.ndarray, thickness: float, strength: float, size: int, softness: float) -> Patch:
    """Many lines (k, n, 2) in pixels of one thickness (pixels) and strength in [0, 1]."""
    box = _box(curves.reshape(-1, 2), 2.3 * softness + 3 + thickness, size) if curves.size else None
    if box is None:
        return EMPTY
    left, top, right, bottom = box
    mask = np.zeros((bottom - top, right - left), np.uint8)
    value = min(255, round(255 * strength * min(1.0, thickness)))
    lines = list(_fixed_point(curves, left, top))
    cv2.polylines(mask, lines, False, value, max(1, round(thickness)), cv2.LINE_AA, _SUBPIXEL_BITS)
    return _patch(_blur(mask, softness), left, top)


def strokes(
    lines: Sequence[tuple[np.ndarray, float, float]], size: int, softness: float, margin: float = 0.0
) -> Patch:
    """Lines of (points (n, 2) in pixels, thickness in pixels, strength in [0, 1]); the last drawn wins.

    `margin`: pixels that the patch reaches further than it needs.
    """
    lines = [line for line in lines if line[2] > 0.004]
    if not lines:
        return EMPTY
    reach = margin + 2.3 * softness + 3 + max(line[1] for line in lines)
    box = _box(np.concatenate([line[0] for line in lines]), reach, size)
    if box is None:
        return EMPTY
    left, top, right, bottom = box
    mask = np.zeros((bottom - top, right - left), np.uint8)
    for points, thickness, strength in lines:
        value = min(255, round(255 * strength * min(1.0, thickness)))
        whole = max(1, round(thickness))
        cv2.polylines(
            mask, [_fixed_point(points, left, top)], False, value, whole, cv2.LINE_AA, _SUBPIXEL_BITS
        )
    return _patch(_blur(mask, softness), left, top)


def disc(centre: Sequence[float] | np.ndarray, radius: float, edge: float, size: int) -> Patch:
    """A round spot; its border of `edge` pixels runs from 1 to 0 around the radius, both in pixels."""
    reach = radius + edge
    left, right = max(0, math.ceil(centre[0] - reach)), min(size, math.floor(centre[0] + reach) + 1)
    top, bottom = max(0, math.ceil(centre[1] - reach)), min(size, math.floor(centre[1] + reach) + 1)
    if right <= left or bottom <= top:
        return EMPTY
    x = np.arange(left, right, dtype=np.float32) - np.float32(centre[0])
    y = np.arange(top, bottom, dtype=np.float32) - np.float32(centre[1])
    distance = np.sqrt((x * x)[None, :] + (y * y)[:, None])
    alpha = (np.float32(radius) - distance) * np.float32(1 / edge) + np.float32(0.5)
    return Patch(
        slice(top, bottom), slice(left, right), np.minimum(np.maximum(alpha, np.float32(0)), np.float32(1))
    )


def tapered(points: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """The outline (2n, 2) of a line (n, 2) whose half-width follows `widths` (n,), in pixels."""
    along = np.empty_like(points)
    along[1:-1] = points[2:] - points[:-2]
    along[0], along[-1] = points[1] - points[0], points[-1] - points[-2]
    length = np.sqrt(along[:, 0] * along[:, 0] + along[:, 1] * along[:, 1]) + 1e-9
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / length[:, None] * widths[:, None]
    return np.concatenate([points + across, (points - across)[::-1]])


def bump(
    centre: Sequence[float] | np.ndarray, radii: Sequence[float], roll: tuple[float, float], size: int
) -> Patch:
    """A smooth hill of height 1: (1 - q)³ inside the ellipse q < 1, nothing outside.

    `centre` and `radii` (across, down) in pixels; `roll` is cosine and sine of the ellipse's angle.
    """
    cosine, sine = roll
    reach_x = math.sqrt((radii[0] * cosine) ** 2 + (radii[1] * sine) ** 2)
    reach_y = math.sqrt((radii[0] * sine) ** 2 + (radii[1] * cosine) ** 2)
    left, right = max(0, math.ceil(centre[0] - reach_x)), min(size, math.floor(centre[0] + reach_x) + 1)
    top, bottom = max(0, math.ceil(centre[1] - reach_y)), min(size, math.floor(centre[1] + reach_y) + 1)
    if right <= left or bottom <= top:
        return EMPTY
    x = np.arange(left, right, dtype=np.float32) - np.float32(centre[0])
    y = np.arange(top, bottom, dtype=np.float32) - np.float32(centre[1])
    wide, tall = 1.0 / (radii[0] * radii[0]), 1.0 / (radii[1] * radii[1])
    xx = np.float32(cosine * cosine * wide + sine * sine * tall)
    yy = np.float32(sine * sine * wide + cosine * cosine * tall)
    xy = np.float32(2.0 * cosine * sine * (wide - tall))
    inside = (np.float32(1) - xx * x * x)[None, :] - (yy * y * y)[:, None]
    if xy:
        inside -= (y * xy)[:, None] * x[None, :]
    np.maximum(inside, 0, out=inside)
    return Patch(slice(top, bottom), slice(left, right), inside * inside * inside)


def paint(image: np.ndarray, patch: Patch, colour: np.ndarray, opacity: float = 1.0) -> None:
    """Lay `colour` (3,) or [3, h, w], linear light, over `image` float32 [3, S, S] where the patch is."""
    area = image[:, patch.rows, patch.columns]
    if not area.size:
        return
    alpha = patch.alpha if opacity == 1.0 else patch.alpha * np.float32(opacity)
    kept = np.float32(1) - alpha
    for channel, value in zip(area, colour.astype(np.float32, copy=False), strict=True):
        channel *= kept
        channel += alpha * value


def darken(image: np.ndarray, patch: Patch, amount: float | np.ndarray) -> None:
    """Multiply `image` float32 [3, S, S] by 1 - amount * alpha; `amount` may differ by channel (3,)."""
    area = image[:, patch.rows, patch.columns]
    if isinstance(amount, np.ndarray):
        for channel, share in zip(area, amount.astype(np.float32), strict=True):
            channel *= np.float32(1) - patch.alpha * share
    else:
        area *= np.float32(1) - patch.alpha * np.float32(amount)


@contextmanager
def clipped(image: np.ndarray, patch: Patch, margin: float) -> Iterator[None]:
    """What is drawn on `image` meanwhile, up to `margin` pixels around the patch, shows only inside it."""
    size, reach = image.shape[1], math.ceil(margin)
    rows = slice(max(0, patch.rows.start - reach), min(size, patch.rows.stop + reach))
    columns = slice(max(0, patch.columns.start - reach), min(size, patch.columns.stop + reach))
    area = image[:, rows, columns]
    before = area.copy()
    yield
    alpha = np.zeros(area.shape[1:], np.float32)
    top, left = patch.rows.start - rows.start, patch.columns.start - columns.start
    alpha[top : top + patch.alpha.shape[0], left : left + patch.alpha.shape[1]] = patch.alpha
    area -= before
    area *= alpha
    area += before


def noise(random: np.random.Generator, height: int, width: int, grain: int) -> np.ndarray:
    """float32 [height, width] smooth noise in [-1, 1] with features of about `grain` pixels."""
    levels = random.integers(0, 256, (height // grain + 2, width // grain + 2), dtype=np.uint8)
    if grain > 1:
        levels = cv2.resize(levels, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[assignment]
    return levels[:height, :width].astype(np.float32) * np.float32(2 / 255) - np.float32(1)
