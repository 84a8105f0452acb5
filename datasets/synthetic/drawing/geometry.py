"""Face geometry: 68 landmarks in three dimensions as control points, moved by identity, units and pose.

Face units: origin between the eyes, x to the right of the image, y down, z towards the viewer, mean inter-eye
distance 0.84. Landmarks are numbered as iBUG's 68 (Sagonas et al., 300-W, 2013). All drawn curves interpolate
these points, so the landmarks are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from datasets.synthetic.action_units import MIRRORED_LANDMARKS, Intensities, displacements
from datasets.synthetic.identity import Identity

_LEFT_AND_MIDLINE = {
    0: (-0.93, -0.02),
    1: (-0.925, 0.22),
    2: (-0.89, 0.46),
    3: (-0.83, 0.70),
    4: (-0.735, 0.93),
    5: (-0.58, 1.14),
    6: (-0.39, 1.30),
    7: (-0.19, 1.405),
    8: (0.0, 1.435),
    17: (-0.72, -0.215),
    18: (-0.615, -0.305),
    19: (-0.46, -0.325),
    20: (-0.305, -0.295),
    21: (-0.165, -0.245),
    27: (0.0, -0.04),
    28: (0.0, 0.12),
    29: (0.0, 0.28),
    30: (0.0, 0.43),
    31: (-0.165, 0.525),
    32: (-0.085, 0.562),
    33: (0.0, 0.582),
    36: (-0.612, 0.006),
    37: (-0.49, -0.066),
    38: (-0.36, -0.064),
    39: (-0.238, 0.03),
    40: (-0.35, 0.062),
    41: (-0.485, 0.066),
    48: (-0.345, 0.872),
    49: (-0.215, 0.826),
    50: (-0.072, 0.79),
    51: (0.0, 0.806),
    57: (0.0, 0.975),
    58: (-0.105, 0.968),
    59: (-0.225, 0.932),
    60: (-0.305, 0.874),
    61: (-0.105, 0.868),
    62: (0.0, 0.874),
    66: (0.0, 0.876),
    67: (-0.105, 0.871),
}


def _mean_face() -> np.ndarray:
    points = np.zeros((68, 2))
    for landmark, position in _LEFT_AND_MIDLINE.items():
        points[landmark] = position
        points[MIRRORED_LANDMARKS[landmark]] = (-position[0], position[1])
    return points


MEAN_FACE = _mean_face()
"""float64 (68, 2): the average neutral face in face units."""

BROW, EYE, NOSE, MOUTH = slice(17, 27), slice(36, 48), slice(27, 36), slice(48, 68)
_SIDE = np.sign(MEAN_FACE[:, 0])


def depth(points: np.ndarray) -> np.ndarray:
    """z of points (..., 2) on the smooth head without features."""
    x, y = points[..., 0], points[..., 1]
    across = np.maximum(1.0 - (x / 1.02) ** 2, 0.0)
    return 0.72 * np.sqrt(across) - 0.16 * (y - 0.35) ** 2


def depth_at(x: float, y: float) -> float:
    """As `depth`, for one point."""
    across, down = x / 1.02, y - 0.35
    return 0.72 * math.sqrt(max(1.0 - across * across, 0.0)) - 0.16 * (down * down)


_LANDMARK_RELIEF = np.zeros(68)
_LANDMARK_RELIEF[27:36] = (0.02, 0.10, 0.20, 0.30, 0.06, 0.14, 0.18, 0.14, 0.06)
_LANDMARK_RELIEF[17:27] = 0.02
_LANDMARK_RELIEF[36:48] = -0.06
_LANDMARK_RELIEF[48:68] = 0.05
_LANDMARK_RELIEF[0:17] = -0.08


@lru_cache(maxsize=8)
def _identity_points(who: Identity) -> np.ndarray:
    """float64 (68, 2), read-only: the neutral face of a person, before crossing lids and lips are
    separated."""
    points = MEAN_FACE.copy()
    jaw = points[:17]
    low = np.clip((jaw[:, 1] - 0.2) / 1.2, 0.0, 1.0)
    jaw[:, 0] *= who.face_width * (1.0 + (who.jaw_width - 1.0) * low * (1.0 - 0.3 * low))
    jaw[5:12, 0] *= 1.0 + (who.chin_width - 1.0) * np.array([0.3, 0.7, 1, 1, 1, 0.7, 0.3])
    jaw[:, 1] += who.chin_length * low * low
    eye_centre = np.repeat(np.array([[-0.42, 0.0], [0.42, 0.0]]), 6, axis=0)
    eye = points[EYE] - eye_centre
    eye[:, 0] *= who.eye_size
    eye[:, 1] *= who.eye_size * who.eye_opening
    eye[:, 1] -= who.eye_tilt * eye[:, 0] * _SIDE[EYE] / 0.19
    points[EYE] = eye + eye_centre
    points[EYE, 0] += who.eye_spacing * _SIDE[EYE]
    along = (np.abs(MEAN_FACE[BROW, 0]) - 0.165) / 0.555
    points[BROW, 0] += who.eye_spacing * _SIDE[BROW]
    points[BROW, 1] -= (
        who.brow_height + who.brow_tilt * (1.0 - 2.0 * along) + who.brow_arch * 4.0 * along * (1.0 - along)
    )
    nose_down = np.clip((points[NOSE, 1] + 0.04) / 0.5, 0.0, 1.1)
    points[NOSE, 1] += who.nose_length * nose_down
    points[NOSE, 0] *= who.nose_width
    _set_mouth_to_rest(points, who)
    points.setflags(write=False)
    return points


def _set_mouth_to_rest(points: np.ndarray, who: Identity) -> None:
    mouth = points[MOUTH]
    line = 0.872
    above = mouth[:, 1] < line - 0.01
    thickness = np.where(above, who.upper_lip, who.lower_lip)
    outer = np.arange(20) < 12
    mouth[:, 1] = line + np.where(outer, thickness, 1.0) * (mouth[:, 1] - line)
    corner = np.clip((np.abs(mouth[:, 0]) - 0.1) / 0.24, 0.0, 1.0)
    mouth[:, 1] += who.mouth_height + 0.4 * who.nose_length - who.mouth_corners * corner
    mouth[:, 0] *= who.mouth_width
    points[MOUTH] = mouth
    brow, eye, corner_offset, jaw, brow_x, mouth_x = who.asymmetry
    left = _SIDE < 0
    for part, shift in ((BROW, (brow_x, brow)), (EYE, (0.0, 0.5 * eye)), (slice(0, 8), (jaw, 0.0))):
        points[part] += np.where(left[part, None], shift, 0.0)
    points[MOUTH, 1] += corner_offset * np.clip(-points[MOUTH, 0] / 0.34, 0.0, 1.0)
    points[MOUTH, 0] += mouth_x


def _keep_possible(points: np.ndarray) -> np.ndarray:
    """Separate lids and lips that cross, so that they at most touch."""
    heights = points[:, 1].tolist()
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        middle = 0.5 * (heights[upper] + heights[lower])
        half = max(0.5 * (heights[lower] - heights[upper]), 0.014)
        heights[upper], heights[lower] = middle - half, middle + half
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        if heights[upper] > heights[lower] - 0.002:
            middle = 0.5 * (heights[upper] + heights[lower])
            heights[upper], heights[lower] = middle - 0.001, middle + 0.001
    for outer, inner, sign in ((49, 61, -1), (50, 61, -1), (51, 62, -1), (52, 63, -1), (53, 63, -1)):
        heights[outer] = min(heights[outer], heights[inner] + sign * 0.012)
    for outer, inner in ((55, 65), (56, 65), (57, 66), (58, 67), (59, 67)):
        limit = 0.02 if outer in (56, 57, 58) else -0.03
        heights[outer] = max(heights[outer], heights[inner] + limit)
    points[:, 1] = heights
    return points


def face_points(who: Identity, units: Intensities) -> np.ndarray:
    """float64 (68, 3): the landmarks of a person with these active units, face units, before pose."""
    rest = _identity_points(who)
    flat = _keep_possible(rest + displacements(units))
    relief = _LANDMARK_RELIEF.copy()
    relief[27:36] *= who.nose_bridge
    return np.column_stack([flat, depth(rest) + relief])


@lru_cache(maxsize=8)
def resting_points(who: Identity) -> np.ndarray:
    """As `face_points` without units, cached while a person's frames are drawn; read-only."""
    points = face_points(who, {})
    points.setflags(write=False)
    return points


@dataclass(frozen=True, kw_only=True)
class View:
    """Pose and position of the head in the frame."""

    yaw: float = 0.0
    """Degrees; positive turns the nose to the right of the image."""
    pitch: float = 0.0
    """Degrees; positive lowers the nose."""
    roll: float = 0.0
    """Degrees, clockwise in the image."""
    scale: float = 1.0
    """Factor of the size at which the whole head fills the frame."""
    shift_x: float = 0.0
    """Translation to the right, as a fraction of the frame's side."""
    shift_y: float = 0.0
    """Downward translation, as a fraction of the frame's side."""


class Projection:
    """Orthographic projection of face units into pixels of a square frame; pixel centres are integers."""

    def __init__(self, view: View, size_pixels: int) -> None:
        self.scale = size_pixels / 3.5 * view.scale
        self.centre = (size_pixels * (0.5 + view.shift_x) - 0.5, size_pixels * (0.5 + view.shift_y) - 0.5)
        # Rounded, because the last bit of sine and cosine differs between C libraries.
        yaw, pitch, roll = (
            (round(math.cos(math.radians(angle)), 10), round(math.sin(math.radians(angle)), 10))
            for angle in (view.yaw, view.pitch, view.roll)
        )
        # Yaw about the vertical axis, then pitch, then roll, all about the point (0, 0.14, 0.25).
        turned_x, turned_z = (yaw[0], 0.0, yaw[1]), (-yaw[1], 0.0, yaw[0])
        turned_y = (pitch[1] * turned_z[0], pitch[0], pitch[1] * turned_z[2])
        self._rows = tuple(
            tuple(self.scale * (first * x + second * y) for x, y in zip(turned_x, turned_y, strict=True))
            for first, second in ((roll[0], -roll[1]), (roll[1], roll[0]))
        )
        self._columns = np.ascontiguousarray(np.array(self._rows).T)
        self._centre = np.array(self.centre)
        self.roll = roll
        """Cosine and sine of the roll angle."""

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of points (..., 3) in face units; points (..., 2) are on the smooth head."""
        points = np.asarray(points, dtype=np.float64)
        x, y = points[..., 0, None], points[..., 1, None] - 0.14
        z = (points[..., 2, None] if points.shape[-1] == 3 else depth(points)[..., None]) - 0.25
        by_x, by_y, by_z = self._columns
        result = by_x * x
        result += by_y * y
        result += by_z * z
        result += self._centre
        return result

    def point(self, place: Sequence[float] | np.ndarray) -> tuple[float, float]:
        """Pixel x, y of one point (x, y, z) in face units."""
        x, y, z = place[0], place[1] - 0.14, place[2] - 0.25
        across, down = self._rows
        return (
            across[0] * x + across[1] * y + across[2] * z + self.centre[0],
            down[0] * x + down[1] * y + down[2] * z + self.centre[1],
        )


@lru_cache(maxsize=256)
def _curve_weights(count: int, closed: bool, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the four control points of each curve point, int (4 m,), and their weights, (4, m, 1)."""
    segments = np.arange(count if closed else count - 1)
    t = np.arange(steps) / steps
    square, cube = t * t, t * t * t
    weights = 0.5 * np.stack(
        [2 * square - cube - t, 2 - 5 * square + 3 * cube, t + 4 * square - 3 * cube, cube - square]
    )
    neighbours = np.repeat(segments[:, None] + np.arange(-1, 3), steps, axis=0)
    weights = np.tile(weights, (1, len(segments)))
    if not closed:
        neighbours = np.concatenate([neighbours, np.full((1, 4), count - 1)])
        weights = np.concatenate([weights, np.array([[0.0], [1.0], [0.0], [0.0]])], axis=1)
        # Ends are extrapolated linearly from the first and the last segment.
        neighbours = neighbours + 1
    else:
        neighbours = neighbours % count
    return np.ascontiguousarray(neighbours.T).ravel(), weights[:, :, None]


def smooth_curve(points: np.ndarray, *, closed: bool = False, steps: int = 6) -> np.ndarray:
    """The Catmull-Rom curve (..., m, d) that passes through all points (..., n, d)."""
    points = np.asarray(points, dtype=np.float64)
    neighbours, weights = _curve_weights(points.shape[-2], closed, steps)
    if not closed:
        longer = np.empty((*points.shape[:-2], points.shape[-2] + 2, points.shape[-1]))
        longer[..., 1:-1, :] = points
        longer[..., 0, :] = 2 * points[..., 0, :] - points[..., 1, :]
        longer[..., -1, :] = 2 * points[..., -1, :] - points[..., -2, :]
        points = longer
    mixed = points.take(neighbours, axis=-2).reshape(*points.shape[:-2], *weights.shape[:2], -1)
    mixed *= weights
    curve = mixed[..., 0, :, :] + mixed[..., 1, :, :]
    curve += mixed[..., 2, :, :]
    curve += mixed[..., 3, :, :]
    return curve
