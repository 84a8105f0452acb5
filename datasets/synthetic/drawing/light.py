"""Shading of a height map: soft diffuse light with subsurface scattering, a sheen, and occlusion in
hollows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True, kw_only=True)
class Light:
    """One soft key light and ambient light."""

    direction: tuple[float, float, float] = (-0.3, -0.45, 0.84)
    """Unit vector towards the light: x right, y down, z to the viewer."""
    key: float = 0.84
    """Strength of the key light."""
    fill: float = 0.34
    """Strength of the ambient light."""
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Linear colour of the key light."""
    sheen: float = 0.12
    """Strength of the highlight on skin."""


# Light scatters below the skin: red reaches farthest into shadow, blue least (Jimenez et al., 2009).
_WRAP = (0.42, 0.3, 0.24)


def _slopes(heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    across, down = np.zeros(heights.shape, np.float32), np.zeros(heights.shape, np.float32)
    np.subtract(heights[:, 2:], heights[:, :-2], out=across[:, 1:-1])
    np.subtract(heights[2:], heights[:-2], out=down[1:-1])
    across *= np.float32(0.5)
    down *= np.float32(0.5)
    return across, down


def hollows(heights: np.ndarray, reach: int) -> np.ndarray:
    """float32 [S, S]: depth of the surface, in pixels, below its mean within `reach` pixels."""
    # Fixed-point blur at a quarter of the size, because float blurs differ between processors.
    height, width = heights.shape
    levels = heights * np.float32(24)
    levels += np.float32(8192)
    np.maximum(levels, np.float32(0), out=levels)
    np.minimum(levels, np.float32(65535), out=levels)
    quarter = (max(1, width // 4), max(1, height // 4))
    small = cv2.resize(levels.astype(np.uint16), quarter, interpolation=cv2.INTER_LINEAR_EXACT)
    kernel = 2 * max(1, reach // 2) + 1
    around = cv2.GaussianBlur(small, (kernel, kernel), kernel / 4.6, borderType=cv2.BORDER_REPLICATE)
    below = cv2.subtract(around, small)
    below = cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
    pixels = below.astype(np.float32)
    pixels *= np.float32(1 / 24)
    return pixels


def shade(heights: np.ndarray, light: Light, scale: float) -> np.ndarray:
    """float32 [3, h, w]: factor of reflected light on skin with this height map, in pixels; `scale`: pixels
    per face unit."""
    across, down = _slopes(heights)
    to_x, to_y, to_z = (np.float32(part) for part in light.direction)
    steepness = across * across
    steepness += down * down
    steepness += np.float32(1)
    shortening = np.sqrt(steepness, out=steepness)
    np.divide(np.float32(1), shortening, out=shortening)
    open_ = hollows(heights, max(1, round(0.07 * scale)))
    open_ *= np.float32(9.0 / scale)
    open_ += np.float32(1)
    np.divide(np.float32(1), open_, out=open_)
    towards_light = to_z - across * to_x - down * to_y
    # The surface normal is (-across, -down, 1), normalised by `shortening`.
    half = np.array([to_x, to_y, to_z + np.float32(1)], np.float32)
    half_length = np.sqrt(half[0] * half[0] + half[1] * half[1] + half[2] * half[2])
    mirror = towards_light + np.float32(1)
    mirror *= shortening
    mirror *= np.float32(1) / half_length
    np.maximum(mirror, np.float32(0), out=mirror)
    for _ in range(4):
        mirror *= mirror
    mirror *= np.float32(light.sheen)
    cosine = towards_light
    cosine *= shortening
    # 0.45 + 0.55 * (0.5 + 0.5 * upward), where upward is the cosine towards (0, -1, 0.35)
    ambient = np.subtract(np.float32(0.35), down, out=down)
    ambient *= shortening
    ambient *= np.float32(0.275 * light.fill)
    ambient += np.float32(0.725 * light.fill)
    rest = ambient
    rest += mirror
    rest *= open_
    result = np.empty((3, *heights.shape), np.float32)
    key = open_
    key *= np.float32(0.65)
    key += np.float32(0.35)
    for channel, wrap, colour in zip(result, _WRAP, light.colour, strict=True):
        np.add(cosine, np.float32(wrap), out=channel)
        np.maximum(channel, np.float32(0), out=channel)
        channel *= key
        channel *= np.float32(light.key * colour / (1 + wrap))
        channel += rest
    return result
