"""Alignment of one frame: landmarks land on the template, implausible ones are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from datasets.alignment.frame_alignment import aligning_transform
from datasets.alignment.similarity import template_points, transform_points
from datasets.records import FrameRecord
from platform.errors import UserError

FRAME = np.zeros((240, 320, 3), np.uint8)
RECORD = FrameRecord(
    subject_id="S1",
    sequence_id="S1_1",
    frame=3,
    expression="anger",
    role="expressive",
    source="S1/3.png",
    landmarks=template_points(100) + (90.0, 60.0),
)


def with_points(points: np.ndarray) -> FrameRecord:
    return replace(RECORD, landmarks=points)


def test_a_moved_and_scaled_template_comes_back() -> None:
    assert RECORD.landmarks is not None
    transform = aligning_transform(RECORD, FRAME, 48, aligned=False)
    np.testing.assert_allclose(transform_points(transform, RECORD.landmarks), template_points(48), atol=1e-9)


def test_a_crop_needs_no_landmarks_and_keeps_its_centre() -> None:
    transform = aligning_transform(replace(RECORD, landmarks=None), FRAME, 48, aligned=True)
    centre = transform_points(transform, np.array([[159.5, 119.5]]))
    np.testing.assert_allclose(centre, [[23.5, 23.5]], atol=1e-9)


@pytest.mark.parametrize(
    ("points", "fault"),
    [
        (template_points(100) + (-30.0, 60.0), r"leave its frame of 320×240 pixels \(S1/3\.png\); correct"),
        (template_points(100) + (90.0, 170.0), "leave its frame"),
        (np.full((5, 2), 50.0), "no face's: all points coincide"),
        (template_points(100)[[1, 0, 2, 4, 3]] + (90.0, 60.0), r"no frontal face's: .* 0\.29 of its side"),
    ],
    ids=["left of the frame", "below the frame", "one point", "left and right exchanged"],
)
def test_implausible_landmarks_are_refused(points: np.ndarray, fault: str) -> None:
    with pytest.raises(UserError, match=fault):
        aligning_transform(with_points(points), FRAME, 48, aligned=False)
