"""Renderer of one face: from identity, units, view and light to pixels and exact landmarks."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np

from datasets.synthetic.action_units import Intensities
from datasets.synthetic.drawing.canvas import linear, paint, polygon
from datasets.synthetic.drawing.eyes import paint_brows, paint_eyes
from datasets.synthetic.drawing.face import Face
from datasets.synthetic.drawing.furrows import furrow_patches
from datasets.synthetic.drawing.geometry import Projection, View, face_points, resting_points
from datasets.synthetic.drawing.hair import head_outline, paint_behind, paint_glasses, paint_hair
from datasets.synthetic.drawing.light import Light, shade
from datasets.synthetic.drawing.mouth import paint_mouth
from datasets.synthetic.drawing.relief import height_map
from datasets.synthetic.drawing.skin import skin_albedo, skin_texture
from datasets.synthetic.identity import Identity

SMALLEST_DRAWING_PIXELS = 192
"""Smaller frames are drawn at an integer multiple and downscaled, so that thin folds stay smooth."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """View, light and gaze of one frame."""

    view: View = field(default_factory=View)
    light: Light = field(default_factory=Light)
    gaze: tuple[float, float] = (0.0, 0.0)
    """Offset of the irises in face units."""


@lru_cache(maxsize=64)
def _texture(key: int) -> np.ndarray:
    return skin_texture(key)


def drawing_factor(size_pixels: int) -> int:
    """The integer factor by which a frame is drawn larger than `size_pixels` and then downscaled."""
    return -(-SMALLEST_DRAWING_PIXELS // size_pixels)


@lru_cache(maxsize=1)
def _keep_freed_memory() -> None:
    """Make the C library keep freed memory, some 60 MB, for the next array.

    glibc adapts its threshold to the largest freed block. Before it has seen one, the arrays of every frame
    are returned to the system, and 1200 to 1700 pages per face are fetched and zeroed again.
    """
    np.empty(30 << 20, np.uint8)


def draw_face(image: np.ndarray, who: Identity, units: Intensities, shot: Shot) -> np.ndarray:
    """Draw a face over `image`, float32 [3, S, S] linear light in [0, 1]; returns landmarks (68, 2) in
    pixels."""
    _keep_freed_memory()
    size = image.shape[1]
    projection = Projection(shot.view, size)
    points, rest = face_points(who, units), resting_points(who)
    face = Face(who=who, units=units, points=points, rest=rest, projection=projection, size=size)
    scale, light = projection.scale, shot.light
    brightness = 0.62 * light.key + 0.45 * light.fill
    paint_behind(image, face, light.direction[0], brightness)
    outline = head_outline(face)
    head = polygon(outline, size, 0.008 * scale)
    folds = furrow_patches(face)
    heights = height_map(face, outline, head, folds)
    skin = skin_albedo(face, head, _texture(who.key), folds[1])[:, head.rows, head.columns]
    skin *= shade(heights[head.box], light, scale)
    paint(image, head, skin)
    paint_eyes(image, face, shot.gaze, light.direction[0])
    paint_mouth(image, face, brightness)
    paint_brows(image, face)
    paint_hair(image, face, brightness)
    if who.glasses:
        paint_glasses(image, face)
    return projection(points)


def plain_background(size: int, colour: tuple[float, float, float] = (122, 124, 128)) -> np.ndarray:
    """float32 [3, S, S] linear light: a uniform wall."""
    wall = np.empty((3, size, size), np.float32)
    wall[:] = linear(colour)[:, None, None]
    return wall


def develop(image: np.ndarray, factor: int) -> np.ndarray:
    """uint8 [S/factor, S/factor, 3]: the image with gamma 2, close to sRGB, of linear light float32 [3, S,
    S]."""
    planes = []
    for channel in image:
        levels = np.minimum(channel, np.float32(1))
        np.maximum(levels, np.float32(0), out=levels)
        np.sqrt(levels, out=levels)
        levels *= np.float32(255)
        levels += np.float32(0.5)
        planes.append(levels.astype(np.uint8))
    picture = cv2.merge(planes)
    if factor > 1:
        side = image.shape[1] // factor
        picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return picture


def render_face(
    who: Identity, units: Intensities, shot: Shot | None = None, size_pixels: int = 256
) -> tuple[np.ndarray, np.ndarray]:
    """A face in front of a gray wall: uint8 [S, S, 3] RGB, and landmarks, float64 (68, 2) in pixels."""
    factor = drawing_factor(size_pixels)
    image = plain_background(size_pixels * factor)
    landmarks = draw_face(image, who, units, shot or Shot())
    return develop(image, factor), shrink_points(landmarks, factor)


def shrink_points(points: np.ndarray, factor: int) -> np.ndarray:
    """Coordinates of `points` after downscaling by `factor` (pixel centres are integers)."""
    return (points + 0.5) / factor - 0.5
