"""State of one face in one frame, shared by all drawing steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datasets.synthetic.action_units import MIRRORED_LANDMARKS, Intensities
from datasets.synthetic.drawing.geometry import Projection, depth_at
from datasets.synthetic.identity import Identity

SIDES = (-1, 1)
"""Image-left and image-right."""


@dataclass(frozen=True, kw_only=True)
class Face:
    """A person, the active units, and their geometry in the frame."""

    who: Identity
    units: Intensities
    points: np.ndarray
    """float64 (68, 3): landmarks, face units."""
    rest: np.ndarray
    """float64 (68, 3): landmarks of the same person's neutral face, face units."""
    projection: Projection
    size: int
    """Side of the frame in pixels."""

    @property
    def scale(self) -> float:
        """Pixels per face unit."""
        return self.projection.scale

    def pixels(self, points: object) -> np.ndarray:
        """Pixels (..., 2) of points in face units: (..., 3), or (..., 2) on the smooth head."""
        return self.projection(np.asarray(points, dtype=np.float64))

    def pixel(self, place: Sequence[float] | np.ndarray) -> tuple[float, float]:
        """As `pixels`, for one point (x, y, z)."""
        return self.projection.point(place)

    def unit(self, number: int, side: int = 0) -> float:
        """Intensity of a unit: on the image-left (`side` -1) or image-right side (+1), or the larger of both
        (0)."""
        left, right = self.units.get(number, (0.0, 0.0))
        return max(left, right) if side == 0 else (left if side < 0 else right)

    def point(self, landmark: int, side: int = -1) -> np.ndarray:
        """(3,): a landmark of the image-left half, or for side 1 its counterpart on the right."""
        return self.points[landmark if side < 0 else MIRRORED_LANDMARKS[landmark]]

    def part(self, landmarks: Sequence[int], side: int = -1) -> np.ndarray:
        """(n, 3): as `point`, for several landmarks."""
        wanted = np.asarray(landmarks)
        return self.points[wanted if side < 0 else MIRRORED_LANDMARKS[wanted]]


def on_head(x: float, y: float, rise: float = 0.0) -> tuple[float, float, float]:
    """A point on the smooth head, face units, raised by `rise` towards the viewer."""
    return x, y, depth_at(x, y) + rise
