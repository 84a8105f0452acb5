"""Alignment of one frame to the template, after a plausibility check of its landmarks."""

from __future__ import annotations

import numpy as np

from datasets.alignment.similarity import (
    LARGEST_RESIDUAL,
    centre_square_transform,
    residual,
    similarity_transform,
    template_points,
)
from datasets.records import FrameRecord
from platform.errors import UserError


def aligning_transform(record: FrameRecord, frame: np.ndarray, size_pixels: int, aligned: bool) -> np.ndarray:
    """The transform from `frame` uint8 (H, W, 3) to the template at `size_pixels`; float64 (2, 3).

    `aligned`: the frame is already a face crop, and its centre square is scaled. Raises UserError for
    landmarks that lie outside the frame or cannot belong to a frontal face.
    """
    height, width = frame.shape[:2]
    if aligned:
        return centre_square_transform(height, width, size_pixels)
    points = record.landmarks
    assert points is not None, "write_prepared checks this first"
    if (points < 0).any() or (points >= (width, height)).any():
        raise UserError(
            f"the landmarks of {record.image_name} leave its frame of {width}×{height} pixels "
            f"({record.source}); correct them."
        )
    try:
        off = residual(points)
    except ValueError as error:
        raise UserError(
            f"the landmarks of {record.image_name} are no face's: {error} ({record.source}); correct them."
        ) from error
    if off > LARGEST_RESIDUAL:
        raise UserError(
            f"the landmarks of {record.image_name} ({record.source}) are no frontal face's: they miss the "
            f"template by {off:.2f} of its side, and at most {LARGEST_RESIDUAL} is allowed; correct them "
            "(left means left in the image)."
        )
    return similarity_transform(points, template_points(size_pixels))
