"""Landmarks for every frame of a sequence, from those of its frames that have some.

A face moves little between two frames, and a sequence method needs every frame. So a frame without landmarks
of its own (no face was detected in it, or a landmark file does not list it) is aligned by its neighbours'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from datasets.records import FrameRecord
from platform.errors import UserError

FrameAlignment = Literal["own", "interpolated", "nearest", "crop"]
"""How a frame was aligned: by landmarks of its own; by those interpolated linearly in the frame number
between the nearest frames before and after it that have some; by those of the nearest frame, before the first
or after the last of these; not at all, because it is a face crop."""


def with_all_landmarks(
    frames: Sequence[FrameRecord],
) -> tuple[list[FrameRecord], list[FrameAlignment]]:
    """The frames of one sequence, in order, with landmarks for all, and how each got them.

    Raises UserError if no frame has landmarks.
    """
    have = [place for place, record in enumerate(frames) if record.landmarks is not None]
    if not have:
        raise UserError(
            f"no frame of the sequence {frames[0].sequence_id} has landmarks, so none can be aligned; pass "
            "points for some of its frames with --landmarks FILE."
        )
    numbers = np.array([frames[place].frame for place in have], dtype=np.float64)
    points = np.stack([frames[place].landmarks for place in have])  # type: ignore[misc]  # those have some
    records: list[FrameRecord] = []
    ways: list[FrameAlignment] = []
    for record in frames:
        if record.landmarks is not None:
            records.append(record)
            ways.append("own")
            continue
        between = numbers[0] < record.frame < numbers[-1]
        # np.interp repeats the first and the last value outside their range: the nearest frame's.
        guessed = [
            [float(np.interp(record.frame, numbers, points[:, point, axis])) for axis in range(2)]
            for point in range(points.shape[1])
        ]
        records.append(replace(record, landmarks=np.array(guessed)))
        ways.append("interpolated" if between else "nearest")
    return records, ways
