"""Comparison of two images after undoing changes that hide a copy: mirroring, rotation, inversion, cropping.

Quarter turns, mirroring and inversion are tried exhaustively. Registration, which aligns one image to the
other, undoes the rest: rotation by a few degrees, cropping, translation and stretching.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

FINE, COARSE = 0.8, 3.0
"""Standard deviations of two blurs, in pixels of a 32 × 32 image. Finer detail is noise and compression;
coarser structure is illumination and the shape that all aligned faces share."""
SOFT_FINE, SOFT_COARSE = 1.5, 6.0
"""The same for comparing images that are not yet registered."""

ZOOM = 1.12
"""Enlargement tried for copies with cropped borders; registration covers half as much more or less."""
STRETCH = (0.7, 1.35)
"""Limits of the scale that registration may find in a copy."""
LEAST_OVERLAP = 0.6
"""Least fraction of the image that both must cover."""


def zoomed(pictures: np.ndarray) -> np.ndarray:
    """`pictures` float32 (N, S, S), enlarged by ZOOM around their centre."""
    import cv2

    side = pictures.shape[-1]
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), 0.0, ZOOM)
    return np.stack([cv2.warpAffine(picture, matrix, (side, side)) for picture in pictures])


def _variants() -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    def turned(quarters: int, mirrored: bool) -> Callable[[np.ndarray], np.ndarray]:
        def change(pictures: np.ndarray) -> np.ndarray:
            flipped = pictures[..., ::-1] if mirrored else pictures
            return np.ascontiguousarray(np.rot90(flipped, quarters, axes=(-2, -1)))

        return change

    named = {}
    for mirrored in (False, True):
        for quarters in range(4):
            words = ["mirrored"] * mirrored + [f"rotated by {90 * quarters} degrees"] * bool(quarters)
            named[", ".join(words)] = turned(quarters, mirrored)
    return named


VARIANTS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = _variants()
"""The eight orientations of a square image, or of several (N, S, S), by name; empty name: unchanged."""


def band(picture: np.ndarray, fine: float = FINE, coarse: float = COARSE) -> np.ndarray:
    """`picture` float32 (S, S), band-passed by the difference of two Gaussian blurs."""
    import cv2

    return cv2.GaussianBlur(picture, (0, 0), fine) - cv2.GaussianBlur(picture, (0, 0), coarse)


def registered_correlation(picture: np.ndarray, other: np.ndarray) -> float:
    """The correlation, in [-1, 1], of `picture` and `other`, float32 (S, S), after an affine registration of
    `picture` to `other`; -1 if registration fails."""
    import cv2

    size = (picture.shape[1], picture.shape[0])
    matrix = np.eye(2, 3, dtype=np.float32)
    soft = [band(one, SOFT_FINE, SOFT_COARSE) for one in (other, picture)]
    ending = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-3)
    try:
        _, matrix = cv2.findTransformECC(*soft, matrix, cv2.MOTION_AFFINE, ending, None, 1)  # type: ignore[call-overload]
    except cv2.error:  # it did not converge
        return -1.0
    stretches = np.linalg.svd(matrix[:, :2], compute_uv=False)
    if not (STRETCH[0] <= stretches.min() and stretches.max() <= STRETCH[1]):
        return -1.0
    moved = cv2.warpAffine(
        picture, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    inside = cv2.warpAffine(
        np.ones_like(picture), matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    shared = inside > 0.99
    if shared.mean() < LEAST_OVERLAP:
        return -1.0
    first, second = (band(one)[shared] for one in (moved, other))
    first, second = first - first.mean(), second - second.mean()
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / lengths if lengths > 0 else -1.0
