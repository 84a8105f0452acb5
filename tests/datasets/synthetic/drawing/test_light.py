"""Shading of a height map: brightness follows slope, direction and occlusion."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.synthetic.drawing.light import Light, hollows, shade

FLAT = np.full((64, 64), 20, np.float32)
SCALE = 40.0


def ramp(towards: str) -> np.ndarray:
    """A slope whose normal points to the left or to the right."""
    rise = np.arange(64, dtype=np.float32)
    return np.repeat((rise if towards == "left" else rise[::-1])[None], 64, axis=0).copy()


def inside(values: np.ndarray) -> np.ndarray:
    return values[..., 16:-16, 16:-16]


def test_a_flat_surface_is_shaded_evenly() -> None:
    for channel in inside(shade(FLAT, Light(), SCALE)):
        assert np.ptp(channel) == pytest.approx(0, abs=1e-6)


def test_slopes_towards_the_light_are_brighter() -> None:
    light = Light(direction=(-0.6, 0.0, 0.8))
    assert inside(shade(ramp("left"), light, SCALE)).mean() > inside(shade(FLAT, light, SCALE)).mean()
    assert inside(shade(ramp("right"), light, SCALE)).mean() < inside(shade(FLAT, light, SCALE)).mean()


def test_red_reaches_farthest_into_shadow() -> None:
    red, green, blue = inside(shade(ramp("right"), Light(direction=(-0.6, 0.0, 0.8)), SCALE)).mean(
        axis=(1, 2)
    )
    assert red > green > blue


def test_light_adds_up() -> None:
    dark = shade(FLAT, Light(key=0.0, fill=0.0, sheen=0.0), SCALE)
    assert np.abs(dark).max() == 0
    once = shade(FLAT, Light(key=0.3, fill=0.2, sheen=0.0), SCALE)
    twice = shade(FLAT, Light(key=0.6, fill=0.4, sheen=0.0), SCALE)
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-5)


def test_only_hollows_are_below_their_surroundings() -> None:
    y, x = np.mgrid[:64, :64] - 32
    bowl = np.maximum(0, 8 - np.sqrt(x**2 + y**2)).astype(np.float32)
    assert hollows(FLAT - bowl, 12)[32, 32] > 1
    assert hollows(FLAT + bowl, 12)[32, 32] == 0
    assert hollows(FLAT, 12).max() == 0
