"""Registration undoes small affine changes; the eight orientations form a group."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from datasets.audit.picture_registration import VARIANTS, ZOOM, band, registered_correlation, zoomed

SIDE = 32


def blobs(seed: int) -> np.ndarray:
    """float32 (SIDE, SIDE): a smooth random image."""
    small = np.random.default_rng(seed).integers(0, 256, (7, 7)).astype(np.float32)
    return cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def moved(picture: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D(((SIDE - 1) / 2, (SIDE - 1) / 2), degrees, scale)
    matrix[:, 2] += shift
    return cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize(
    ("degrees", "scale", "shift"),
    [(0, 1, (0, 0)), (4, 1, (0, 0)), (0, 1.06, (0, 0)), (-3, 1.03, (0.7, -0.5))],
)
def test_a_moved_copy_correlates_again(degrees: float, scale: float, shift: tuple[float, float]) -> None:
    picture = blobs(0)
    assert registered_correlation(moved(picture, degrees, scale, shift), picture) > 0.97


def test_different_images_and_flat_ones_do_not_match() -> None:
    assert max(registered_correlation(blobs(one), blobs(one + 10)) for one in range(5)) < 0.9
    assert registered_correlation(np.full((SIDE, SIDE), 80, np.float32), blobs(0)) == -1.0


def test_the_variants_are_the_eight_orientations() -> None:
    picture = np.arange(9, dtype=np.float32).reshape(3, 3)
    found = {change(picture).tobytes() for change in VARIANTS.values()}
    assert (len(VARIANTS), len(found)) == (8, 8)
    np.testing.assert_array_equal(VARIANTS[""](picture), picture)
    np.testing.assert_array_equal(VARIANTS["mirrored"](picture), picture[:, ::-1])
    for change in VARIANTS.values():
        assert {other(change(picture)).tobytes() for other in VARIANTS.values()} == found
        np.testing.assert_array_equal(change(np.stack([picture] * 2))[1], change(picture))


def test_zooming_enlarges_around_the_centre() -> None:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    disc = (x**2 + y**2 < 8**2).astype(np.float32)
    (larger,) = zoomed(disc[None])
    assert larger.sum() / disc.sum() == pytest.approx(ZOOM**2, rel=0.05)
    np.testing.assert_allclose(larger, larger[::-1, ::-1], atol=1e-4)


def test_the_band_ignores_brightness_and_slow_gradients() -> None:
    picture, slope = blobs(1), np.linspace(0, 60, SIDE, dtype=np.float32)
    np.testing.assert_allclose(band(picture + 25), band(picture), atol=1e-2)
    middle = slice(10, -10)
    assert np.abs(band(picture + slope) - band(picture))[:, middle].max() < 0.5
