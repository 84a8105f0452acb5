"""Alignment: exact on exact points, honest on CK+'s, and free of aliasing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.alignment.similarity import (
    LARGEST_RESIDUAL,
    MOUTH_HALF_WIDTH,
    TEMPLATE,
    align,
    centre_square_transform,
    five_points_from_68,
    residual,
    similarity_transform,
    template_points,
    transform_points,
)
from datasets.raw.landmarks import read_landmarks


@pytest.fixture(scope="module")
def ckplus_points(root: Path) -> np.ndarray:
    """Five points, float64 (60, 5, 2), of the first CK+ frames of FMPN's landmark file."""
    return np.array(read_landmarks(root / "tests/data/ckplus_landmarks5_excerpt.csv").all_points)


@given(
    angle=st.floats(-3.1, 3.1),
    scale=st.floats(0.05, 20),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_similarity_is_recovered_exactly(angle: float, scale: float, shift: tuple[float, float]) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = TEMPLATE @ turn.T + shift
    transform = similarity_transform(TEMPLATE, moved)
    np.testing.assert_allclose(transform, np.column_stack([turn, shift]), atol=1e-7 * max(1, scale))


def test_no_other_similarity_comes_nearer(ckplus_points: np.ndarray) -> None:
    points, template = ckplus_points[0], template_points(320)
    best = similarity_transform(points, template)

    def error(transform: np.ndarray) -> float:
        return float(((transform_points(transform, points) - template) ** 2).sum())

    (cosine, sine), (shift_x, shift_y) = best[:, 0], best[:, 2]
    for step in np.eye(4) * 1e-3:
        for sign in (-1, 1):
            c, s, x, y = np.array([cosine, sine, shift_x, shift_y]) + sign * step
            assert error(np.array([[c, -s, x], [s, c, y]])) > error(best)


def test_coinciding_points_are_refused() -> None:
    with pytest.raises(ValueError, match="coincide"):
        similarity_transform(np.ones((5, 2)), TEMPLATE)


def test_ckplus_faces_fit_the_template(ckplus_points: np.ndarray) -> None:
    # All 2,372 frames: root mean square 0.028 of the side, median frame 0.024, largest frame 0.070.
    residuals = [residual(points) for points in ckplus_points]
    assert 0.020 < np.median(residuals) < 0.026
    assert max(residuals) < 0.07


def test_the_mouth_is_as_wide_as_measured(ckplus_points: np.ndarray) -> None:
    four = np.concatenate([ckplus_points[:, :3], ckplus_points[:, 3:].mean(axis=1, keepdims=True)], axis=1)
    template = np.vstack([TEMPLATE[:3], TEMPLATE[3:].mean(axis=0)])
    half_widths = []
    for points, fitted in zip(ckplus_points, four, strict=True):
        left, right = transform_points(similarity_transform(fitted, template), points[3:])
        half_widths.append(np.hypot(*(right - left)) / 2)
    # 0.1918 over all 2,372 frames; the 60 of the excerpt have somewhat narrower mouths.
    assert np.median(half_widths) == pytest.approx(MOUTH_HALF_WIDTH, abs=0.01)


def test_swapped_left_and_right_do_not_pass_for_a_face(ckplus_points: np.ndarray) -> None:
    assert min(residual(points[[1, 0, 2, 4, 3]]) for points in ckplus_points) > LARGEST_RESIDUAL


def test_five_points_are_taken_from_their_places() -> None:
    points = np.zeros((68, 2))
    points[36:42] = [10, 20]
    points[39] = [16, 26]
    points[42:48] = [30, 20]
    points[30], points[48], points[54] = [20, 30], [12, 40], [28, 41]
    expected = [[11, 21], [30, 20], [20, 30], [12, 40], [28, 41]]
    np.testing.assert_array_equal(five_points_from_68(points), expected)
    with pytest.raises(ValueError, match="must have shape"):
        five_points_from_68(points[:67])


def test_landmarks_come_to_lie_where_the_transform_says() -> None:
    image = np.zeros((200, 240, 3), dtype=np.uint8)
    points = np.array([[80, 70], [140, 75], [110, 100], [85, 130], [135, 133]], dtype=float)
    transform = similarity_transform(points, template_points(200))
    for point in points:
        image[:] = 0
        cv2.circle(image, (int(point[0]), int(point[1])), 3, (255, 255, 255), -1)
        y, x = np.nonzero(align(image, transform, 200)[..., 0] > 127)
        np.testing.assert_allclose(
            [x.mean(), y.mean()], transform_points(transform, point[None])[0], atol=0.6
        )


def test_identity_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(align(image, np.array([[1.0, 0, 0], [0, 1.0, 0]]), 32), image)


def test_shrinking_does_not_alias() -> None:
    # A one-pixel checkerboard shrunk eight times is even gray; picking pixels would give 0 or 255.
    board = np.indices((256, 256)).sum(axis=0) % 2 * 255
    image = np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    shrunk = align(image, centre_square_transform(256, 256, 32), 32)
    assert np.abs(shrunk.astype(int) - 127).max() <= 2


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_shrinking_by_a_whole_number_is_the_mean_of_each_block(factor: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, (24 * factor, 24 * factor, 3), dtype=np.uint8)
    blocks = image.reshape(24, factor, 24, factor, 3).mean(axis=(1, 3))
    shrunk = align(image, centre_square_transform(24 * factor, 24 * factor, 24), 24)
    np.testing.assert_allclose(shrunk, blocks, atol=0.51)


def test_face_crops_keep_their_centre_square() -> None:
    transform = centre_square_transform(100, 140, 50)
    # The square spans x from 20 to 120 and y from 0 to 100 in pixel edges; centres are half inside.
    corners = transform_points(transform, np.array([[19.5, -0.5], [119.5, 99.5]]))
    np.testing.assert_allclose(corners, [[-0.5, -0.5], [49.5, 49.5]], atol=1e-12)
