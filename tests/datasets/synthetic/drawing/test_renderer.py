"""The drawn face: landmarks lie on it, nothing moves without a unit, and a mirror mirrors everything."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from datasets.synthetic.drawing.geometry import View
from datasets.synthetic.drawing.light import Light
from datasets.synthetic.drawing.renderer import Shot, render_face
from datasets.synthetic.identity import Identity
from tests.datasets.synthetic.mirroring import mirrored_face, mirrored_intensities

SIZE = 320
FRONTAL = Shot(light=Light(direction=(0.0, -0.45, 0.893)))
VIEWS = [View(), View(yaw=14.0), View(pitch=-9.0, yaw=-8.0), View(roll=12.0, scale=0.9, shift_x=0.05)]


def colour_at(picture: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Mean colour, float (3,), of the 3 x 3 pixels around a point."""
    x, y = np.rint(point).astype(int)
    return picture[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).mean(axis=0)


def inside(landmarks: np.ndarray) -> np.ndarray:
    """bool [SIZE, SIZE]: pixels inside the polygon of the landmarks."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(mask, [np.rint(landmarks).astype(np.int32)], 1)
    return mask.astype(bool)


@pytest.mark.parametrize("view", VIEWS)
def test_the_pupil_is_at_the_centre_of_the_eye_landmarks(person: Identity, view: View) -> None:
    picture, landmarks = render_face(person, {}, dataclasses.replace(FRONTAL, view=view), SIZE)
    for eye in (slice(36, 42), slice(42, 48)):
        centre = landmarks[eye].mean(axis=0)
        x, y = np.rint(centre).astype(int)
        assert picture[y, x].max() < 60  # nothing between the white and the iris is as dark as the pupil
        iris = centre + 0.055 * (landmarks[45] - landmarks[36])
        assert colour_at(picture, iris).max() > picture[y, x].max() + 30


@pytest.mark.parametrize("view", VIEWS)
def test_lips_have_the_colour_of_lips_and_their_surroundings_have_not(person: Identity, view: View) -> None:
    picture, landmarks = render_face(person, {}, dataclasses.replace(FRONTAL, view=view), SIZE)
    redness = picture[:, :, 0].astype(float) / picture[:, :, 1]
    lower_lip = 0.5 * (landmarks[57] + landmarks[66])
    chin = 0.5 * (landmarks[57] + landmarks[8])
    x, y = np.rint(lower_lip).astype(int)
    chin_x, chin_y = np.rint(chin).astype(int)
    assert redness[y, x] > redness[chin_y, chin_x] + 0.25
    outside = inside(landmarks[48:60] + 1.6 * (landmarks[48:60] - landmarks[48:60].mean(axis=0)))
    outside &= ~inside(landmarks[48:60] + 0.15 * (landmarks[48:60] - landmarks[48:60].mean(axis=0)))
    assert redness[inside(landmarks[48:60])].mean() > redness[outside].mean() + 0.2


def test_the_open_mouth_shows_its_inside_between_the_inner_lip_landmarks(person: Identity) -> None:
    picture, landmarks = render_face(person, {27: (1.0, 1.0)}, FRONTAL, SIZE)
    opening = inside(landmarks[60:68])
    assert opening.sum() > 200
    teeth = 0.85 * landmarks[62] + 0.15 * landmarks[66]
    depth = 0.55 * landmarks[62] + 0.45 * landmarks[66]
    assert colour_at(picture, teeth).min() > 110
    assert colour_at(picture, depth).max() < 90


def test_the_brow_is_dark_along_its_landmarks(person: Identity) -> None:
    dark_haired = dataclasses.replace(person, hair=(38.0, 30.0, 28.0))
    picture, landmarks = render_face(dark_haired, {}, FRONTAL, SIZE)
    for brow in (landmarks[18:21], landmarks[23:26]):
        for point in brow:
            above = point - (0.0, 0.16 * SIZE / 3.5)
            assert colour_at(picture, point).mean() < colour_at(picture, above).mean() - 40


def test_the_outline_of_the_face_passes_through_the_chin_landmark(person: Identity) -> None:
    picture, landmarks = render_face(person, {26: (1.0, 1.0)}, FRONTAL, SIZE)
    chin = landmarks[8]
    above, below = colour_at(picture, chin - (0, 5)), colour_at(picture, chin + (0, 5))
    assert above.mean() > below.mean() + 25  # the neck lies in the jaw's shadow


def test_intensity_zero_is_exactly_the_neutral_face(person: Identity) -> None:
    neutral, neutral_points = render_face(person, {}, FRONTAL, 160)
    zero, zero_points = render_face(
        person, dict.fromkeys((1, 4, 6, 12, 17, 25, 27), (0.0, 0.0)), FRONTAL, 160
    )
    assert np.array_equal(neutral, zero)
    assert np.array_equal(neutral_points, zero_points)


def test_a_mirrored_performance_gives_a_mirrored_face_and_mirrored_landmarks(person: Identity) -> None:
    units = {12: (0.2, 0.9), 2: (0.8, 0.0), 14: (0.0, 1.0)}
    picture, landmarks = render_face(
        person, units, dataclasses.replace(FRONTAL, view=View(yaw=9.0, roll=6.0)), SIZE
    )
    other, other_points = render_face(
        person,
        mirrored_intensities(units),
        dataclasses.replace(FRONTAL, view=View(yaw=-9.0, roll=-6.0)),
        SIZE,
    )
    flipped, flipped_points = mirrored_face(other, other_points)
    assert np.allclose(landmarks, flipped_points, atol=1e-6)
    difference = np.abs(picture.astype(int) - flipped).max(axis=2)
    # The hairs of the brows and the glints are drawn for each side by itself; all else is symmetric.
    assert np.percentile(difference, 97) <= 6


def test_landmarks_do_not_depend_on_the_size_at_which_a_face_is_drawn(person: Identity) -> None:
    small, large = (render_face(person, {12: (1.0, 1.0)}, FRONTAL, size)[1] for size in (96, 384))
    assert np.allclose((small + 0.5) * 4 - 0.5, large, atol=1e-6)
