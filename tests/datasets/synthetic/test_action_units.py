"""Action units: each moves what its muscle moves, and not a pixel elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.synthetic.action_units import ACTION_UNITS, MIRRORED_LANDMARKS, displacements
from datasets.synthetic.drawing.geometry import MEAN_FACE, Projection, View, face_points
from datasets.synthetic.drawing.renderer import Shot, render_face
from datasets.synthetic.identity import Identity
from tests.datasets.synthetic.mirroring import mirrored_intensities

SIZE = 224

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in face units: origin between the eyes, y downwards, image-left half."""
BROWS: Box = (-1.0, -1.35, 0.25, 0.2)
EYES: Box = (-0.95, -0.35, 0.1, 0.45)
MIDFACE: Box = (-0.98, -0.4, 0.3, 1.15)
MOUTH: Box = (-0.85, 0.35, 0.5, 1.5)
JAW: Box = (-1.15, 0.2, 1.15, 2.4)
REGIONS: dict[int, Box] = {
    1: BROWS,
    2: BROWS,
    4: BROWS,
    5: EYES,
    6: (-0.98, -0.55, 0.1, 1.15),
    7: EYES,
    9: (-0.98, -0.6, 0.65, 1.15),
    10: MIDFACE,
    12: (-1.0, -0.2, 0.3, 1.45),
    14: MIDFACE,
    15: MOUTH,
    16: MOUTH,
    17: JAW,
    20: JAW,
    23: MOUTH,
    24: MOUTH,
    25: MOUTH,
    26: JAW,
    27: JAW,
}
"""Box of each unit; outside it and its mirror image the unit changes no pixel of a frontal face."""


def allowed(number: int) -> np.ndarray:
    """bool [SIZE, SIZE]: the region of a unit and its mirror image, in a frontal frame."""
    projection = Projection(View(), SIZE)
    mask = np.zeros((SIZE, SIZE), bool)
    left, top, right, bottom = REGIONS[number]
    for low, high in ((left, right), (-right, -left)):
        corners = projection(np.array([[low, top, 0.25], [high, bottom, 0.25]]))
        (x0, y0), (x1, y1) = np.clip(np.rint(corners), 0, SIZE).astype(int)
        mask[y0:y1, x0:x1] = True
    return mask


@pytest.fixture(scope="module")
def neutral(person: Identity) -> np.ndarray:
    """The resting face."""
    return render_face(person, {}, Shot(), SIZE)[0]


@pytest.mark.parametrize("number", sorted(ACTION_UNITS))
def test_a_unit_changes_pixels_only_where_its_muscle_moves(
    person: Identity, neutral: np.ndarray, number: int
) -> None:
    active = render_face(person, {number: (1.0, 1.0)}, Shot(), SIZE)[0]
    changed = (active != neutral).any(axis=2)
    assert changed.sum() > 60
    outside = changed & ~allowed(number)
    assert not outside.any(), (
        f"AU {number} changed {outside.sum()} pixels outside, at {np.argwhere(outside)[:3]}"
    )


@pytest.mark.parametrize("number", sorted(ACTION_UNITS))
def test_more_intensity_moves_the_landmarks_further(person: Identity, number: int) -> None:
    rest = face_points(person, {})[:, :2]
    half, full = (
        np.abs(face_points(person, {number: (level, level)})[:, :2] - rest).sum() for level in (0.5, 1.0)
    )
    assert 0 < half < full


def test_a_unit_on_one_side_leaves_the_other_half_at_rest() -> None:
    moved = np.abs(displacements({12: (1.0, 0.0)})).sum(axis=1) > 0
    assert moved[48]
    assert moved[60]
    assert not moved[MEAN_FACE[:, 0] > 0.01].any()


def test_mirrored_intensities_give_mirrored_displacements() -> None:
    units = {1: (0.3, 0.9), 12: (1.0, 0.0), 26: (0.5, 0.7)}
    expected = displacements(units)[MIRRORED_LANDMARKS] * (-1.0, 1.0)
    assert np.allclose(displacements(mirrored_intensities(units)), expected)


@pytest.mark.parametrize(
    ("number", "landmark", "axis", "sign"),
    [
        (1, 21, 1, -1),
        (2, 18, 1, -1),
        (4, 21, 1, 1),
        (4, 21, 0, 1),
        (5, 37, 1, -1),
        (6, 41, 1, -1),
        (7, 37, 1, 1),
        (9, 31, 1, -1),
        (10, 50, 1, -1),
        (12, 48, 0, -1),
        (12, 48, 1, -1),
        (14, 48, 0, -1),
        (15, 48, 1, 1),
        (16, 57, 1, 1),
        (17, 57, 1, -1),
        (20, 48, 0, -1),
        (23, 50, 1, 1),
        (24, 57, 1, -1),
        (25, 66, 1, 1),
        (26, 8, 1, 1),
        (27, 66, 1, 1),
    ],
)
def test_a_unit_moves_as_facs_describes(number: int, landmark: int, axis: int, sign: int) -> None:
    assert sign * displacements({number: (1.0, 1.0)})[landmark, axis] > 0.01


def test_mirroring_the_landmark_numbers_twice_gives_the_same_numbers() -> None:
    assert np.array_equal(MIRRORED_LANDMARKS[MIRRORED_LANDMARKS], np.arange(68))
    assert np.allclose(MEAN_FACE[MIRRORED_LANDMARKS] * (-1.0, 1.0), MEAN_FACE)
