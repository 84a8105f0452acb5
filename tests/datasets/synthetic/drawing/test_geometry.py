"""Where a face lies: one point and many are projected alike, curves pass through their points."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.synthetic.drawing.face import on_head
from datasets.synthetic.drawing.geometry import (
    Projection,
    View,
    depth,
    face_points,
    resting_points,
    smooth_curve,
)
from datasets.synthetic.identity import Identity

TURNED = View(yaw=11.0, pitch=-7.0, roll=13.0, scale=1.1, shift_x=0.04, shift_y=-0.02)


@pytest.mark.parametrize("view", [View(), TURNED])
def test_one_point_is_projected_as_among_many(person: Identity, view: View) -> None:
    projection, points = Projection(view, 320), face_points(person, {12: (0.6, 0.9)})
    assert np.array_equal([projection.point(point) for point in points], projection(points))


def test_a_point_on_the_head_has_the_depth_of_the_head() -> None:
    places = np.array([(0.0, 0.0), (0.5, -0.3), (-0.9, 1.2), (1.4, 0.4)])
    assert np.allclose([on_head(x, y)[2] for x, y in places.tolist()], depth(places), rtol=0, atol=1e-15)


def test_the_resting_face_is_that_without_units_and_cannot_be_changed(person: Identity) -> None:
    rest = resting_points(person)
    assert np.array_equal(rest, face_points(person, {}))
    with pytest.raises(ValueError, match="read-only"):
        rest[0] = 0.0


@pytest.mark.parametrize("closed", [False, True])
def test_a_curve_passes_through_every_one_of_its_points(closed: bool) -> None:
    points = np.random.default_rng(0).random((3, 7, 2))
    curve = smooth_curve(points, closed=closed, steps=5)
    assert np.array_equal(curve[:, ::5], points)


def test_curves_drawn_together_are_those_drawn_one_by_one() -> None:
    points = np.random.default_rng(1).random((4, 5, 3))
    assert np.array_equal(smooth_curve(points), np.stack([smooth_curve(one) for one in points]))
