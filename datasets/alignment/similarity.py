"""Similarity transform of faces to one template by five landmarks (docs/methods.md, §2.1).

Coordinates follow OpenCV: x to the right, y down, in pixels, (0, 0) at the centre of the first pixel. "Left"
means left in the image. Five points are always left eye, right eye, nose, left and right mouth corner.
"""

from __future__ import annotations

import math

import numpy as np

MOUTH_HALF_WIDTH = 0.192
"""In the unit square. Median over the 2,372 CK+ frames of FMPN's landmark file, aligned by eyes, nose and
mouth centre (first frames alone 0.192, last three 0.192; 90 % lie between 0.156 and 0.258)."""

TEMPLATE = np.array(
    [
        [0.265, 0.26],
        [0.74, 0.26],
        [0.51, 0.535],
        [0.51 - MOUTH_HALF_WIDTH, 0.745],
        [0.51 + MOUTH_HALF_WIDTH, 0.745],
    ]
)
"""Five points in the unit square: the template of FMPN's released motion masks, measured on them to ±0.02
(docs/methods.md, §2.1)."""

LARGEST_RESIDUAL = 0.15
"""Root mean square distance from the template, in crop sides, above which five points are not accepted as a
frontal face. The largest on CK+'s frames is 0.070; mirrored points give 0.28."""


def template_points(size_pixels: int) -> np.ndarray:
    """The five template points in an aligned image; float64 (5, 2), pixels."""
    return TEMPLATE * size_pixels


def five_points_from_68(points: np.ndarray) -> np.ndarray:
    """Five points from the 68 of the iBUG/CK+ scheme; (68, 2) to float64 (5, 2).

    Counted from 0: an eye's centre is the mean of its six points (36–41, 42–47), the nose tip is point 30,
    the mouth corners are points 48 and 54. Raises ValueError for another shape.
    """
    if points.shape != (68, 2):
        raise ValueError(f"points must have shape (68, 2), but got {points.shape}")
    eyes = [points[36:42].mean(axis=0), points[42:48].mean(axis=0)]
    return np.array([*eyes, points[30], points[48], points[54]], dtype=np.float64)


def similarity_transform(points: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The least-squares rotation, scale and translation from `points` to `template`, both (n, 2).

    Returns float64 (2, 3): [x', y'] = M @ [x, y, 1]. Umeyama's solution (1991) in closed form for the plane,
    without reflections. Raises ValueError if all points coincide.
    """
    centre, template_centre = points.mean(axis=0), template.mean(axis=0)
    offsets, template_offsets = points - centre, template - template_centre
    spread = float((offsets**2).sum())
    if not spread > 1e-12:
        raise ValueError("all points coincide")
    cosine = float((offsets * template_offsets).sum()) / spread
    sine = (
        float((offsets[:, 0] * template_offsets[:, 1] - offsets[:, 1] * template_offsets[:, 0]).sum())
        / spread
    )
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([rotation, template_centre - rotation @ centre])


def centre_square_transform(height: int, width: int, size_pixels: int) -> np.ndarray:
    """The transform that scales the largest centred square of a face crop; float64 (2, 3)."""
    scale = size_pixels / min(height, width)
    # Pixels scale as areas, not as points at their centres: shift by half a pixel before and after.
    shift_x = size_pixels / 2 - 0.5 - scale * (width / 2 - 0.5)
    shift_y = size_pixels / 2 - 0.5 - scale * (height / 2 - 0.5)
    return np.array([[scale, 0.0, shift_x], [0.0, scale, shift_y]])


def transform_points(transform: np.ndarray, points: np.ndarray) -> np.ndarray:
    """`points` (n, 2) mapped by `transform` (2, 3); float64 (n, 2)."""
    return points @ transform[:, :2].T + transform[:, 2]


def residual(points: np.ndarray) -> float:
    """Root mean square distance of the aligned `points` (5, 2) from the template, in crop sides."""
    aligned = transform_points(similarity_transform(points, TEMPLATE), points)
    return float(np.sqrt(((aligned - TEMPLATE) ** 2).sum(axis=1).mean()))


def align(image: np.ndarray, transform: np.ndarray, size_pixels: int) -> np.ndarray:
    """`image` uint8 (H, W, 3) resampled once by `transform` (2, 3); uint8 (size, size, 3).

    Cubic interpolation. When shrinking, each pixel is the mean of k × k samples, dense enough that no source
    pixel is skipped, which prevents aliasing. Outside the source its border is replicated, because a black
    edge would appear as motion in the masks.
    """
    import cv2

    scale = math.hypot(transform[0, 0], transform[1, 0])
    samples = max(1, math.ceil(1 / scale - 1e-9))
    fine = transform * samples
    fine[:, 2] += (samples - 1) / 2  # k × k samples are centred on their pixel's centre
    side = size_pixels * samples
    channels = cv2.split(image)
    if all(np.array_equal(channels[0], channel) for channel in channels[1:]):
        gray = _resampled(channels[0], fine, side, size_pixels)
        return cv2.merge([gray, gray, gray])
    return _resampled(image, fine, side, size_pixels)


def _resampled(image: np.ndarray, transform: np.ndarray, side: int, size_pixels: int) -> np.ndarray:
    """`image` (H, W) or (H, W, 3) resampled to a grid of `side` pixels, then averaged to `size_pixels`."""
    import cv2

    warped = cv2.warpAffine(
        image, transform, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    if side == size_pixels:
        return warped
    return cv2.resize(warped, (size_pixels, size_pixels), interpolation=cv2.INTER_AREA)
