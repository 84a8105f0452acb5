"""Frames without landmarks get their neighbours'."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.prepared.sequence_alignment import with_all_landmarks
from datasets.records import FrameRecord
from platform.errors import UserError
from tests.datasets.prepared.small_store import record
from tests.raw_trees import FACE


def frames(**shift_of: float | None) -> list[FrameRecord]:
    """One frame for each keyword `f<number>`, with the face's points moved by the value, or without."""
    return [
        record("S001", int(name[1:]), landmarks=None if shift is None else FACE + shift)
        for name, shift in shift_of.items()
    ]


def points(records: list[FrameRecord]) -> list[float]:
    """How far the face of each frame is moved."""
    return [float(np.mean(np.asarray(one.landmarks) - FACE)) for one in records]


def test_landmarks_of_their_own_stay() -> None:
    given = frames(f1=0.0, f2=5.0)
    records, ways = with_all_landmarks(given)
    assert records == given
    assert ways == ["own", "own"]


def test_between_two_frames_they_are_interpolated_in_the_frame_number() -> None:
    records, ways = with_all_landmarks(frames(f1=0.0, f2=None, f4=None, f5=8.0))
    np.testing.assert_allclose(points(records), [0, 2, 6, 8])
    assert ways == ["own", "interpolated", "interpolated", "own"]
    assert [one.frame for one in records] == [1, 2, 4, 5]


def test_before_the_first_and_after_the_last_they_are_those_of_the_nearest() -> None:
    records, ways = with_all_landmarks(frames(f1=None, f2=3.0, f3=None, f4=None))
    np.testing.assert_allclose(points(records), [3, 3, 3, 3])
    assert ways == ["nearest", "own", "nearest", "nearest"]


def test_a_sequence_without_any_is_refused() -> None:
    with pytest.raises(UserError, match="no frame of the sequence S001_001 has landmarks"):
        with_all_landmarks(frames(f1=None, f2=None))
