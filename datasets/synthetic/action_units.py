"""FACS action units, with the landmark displacements of each.

Source: Ekman, Friesen, Hager, *Facial Action Coding System* (2002), for units and their appearance.
Displacements are in face units at full intensity (inter-eye distance 0.84), defined for the image-left half
of the face and mirrored; landmarks are iBUG's 68 (datasets/synthetic/drawing/geometry.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Intensities = Mapping[int, tuple[float, float]]
"""Action unit number -> intensity of the image-left and image-right side, 0 (absent) to 1 (maximal)."""

MIRRORED_LANDMARKS = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31]
    + [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    + [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
)
"""(68,) index of the landmark that each landmark becomes in the mirrored face."""


@dataclass(frozen=True, kw_only=True)
class ActionUnit:
    """One action unit."""

    name: str
    """Name in FACS."""
    moves: dict[int, tuple[float, float]]
    """Landmark of the image-left half or the midline -> displacement (x, y) at full intensity, face units."""


def _unit(name: str, moves: dict[int, tuple[float, float]]) -> ActionUnit:
    return ActionUnit(name=name, moves=moves)


# fmt: off
ACTION_UNITS: dict[int, ActionUnit] = {
    1: _unit("inner brow raiser", {
        21: (0.012, -0.145), 20: (0.01, -0.11), 19: (0, -0.045), 38: (0, -0.012),
    }),
    2: _unit("outer brow raiser", {
        17: (0, -0.1), 18: (0, -0.14), 19: (0, -0.105), 20: (0, -0.04),
    }),
    4: _unit("brow lowerer", {
        21: (0.05, 0.1), 20: (0.045, 0.09), 19: (0.03, 0.065), 18: (0.012, 0.03), 38: (0, 0.014),
        37: (0, 0.008),
    }),
    5: _unit("upper lid raiser", {
        37: (0, -0.055), 38: (0, -0.058),
    }),
    6: _unit("cheek raiser", {
        40: (0, -0.03), 41: (0, -0.034), 36: (0.006, -0.006), 17: (0.01, 0.02), 37: (0, 0.012),
        38: (0, 0.006),
    }),
    7: _unit("lid tightener", {
        37: (0, 0.026), 38: (0, 0.022), 40: (0, -0.036), 41: (0, -0.036),
    }),
    9: _unit("nose wrinkler", {
        31: (-0.012, -0.06), 32: (-0.006, -0.045), 33: (0, -0.03), 30: (0, -0.03), 21: (0.035, 0.07),
        20: (0.03, 0.06), 19: (0.01, 0.03), 40: (0, -0.03), 41: (0, -0.02), 38: (0, 0.018), 37: (0, 0.012),
        49: (0, -0.02), 50: (0, -0.055), 51: (0, -0.05), 61: (0, -0.035), 62: (0, -0.035),
    }),
    10: _unit("upper lip raiser", {
        31: (-0.012, -0.025), 32: (0, -0.012), 48: (-0.02, -0.01), 49: (-0.03, -0.075),
        50: (-0.015, -0.115), 51: (0, -0.1), 61: (-0.01, -0.095), 62: (0, -0.09), 60: (-0.01, -0.02),
    }),
    12: _unit("lip corner puller", {
        48: (-0.15, -0.125), 49: (-0.095, -0.075), 50: (-0.03, -0.012), 51: (0, 0.008), 57: (0, 0),
        58: (-0.045, -0.005), 59: (-0.095, -0.05), 60: (-0.14, -0.115), 61: (-0.05, -0.01), 62: (0, 0.008),
        66: (0, 0.012), 67: (-0.05, 0), 31: (-0.012, -0.006), 4: (-0.012, -0.01), 3: (-0.014, -0.01),
    }),
    14: _unit("dimpler", {
        48: (-0.075, -0.03), 49: (-0.04, -0.008), 59: (-0.04, -0.022), 60: (-0.072, -0.028),
        58: (-0.015, -0.01),
    }),
    15: _unit("lip corner depressor", {
        48: (-0.02, 0.125), 49: (-0.012, 0.05), 59: (-0.02, 0.065), 60: (-0.02, 0.11), 58: (-0.005, 0),
    }),
    16: _unit("lower lip depressor", {
        57: (0, 0.075), 58: (-0.02, 0.075), 59: (-0.015, 0.035), 66: (0, 0.085), 67: (-0.02, 0.08),
    }),
    17: _unit("chin raiser", {
        57: (0, -0.06), 58: (0, -0.052), 59: (0, -0.012), 66: (0, -0.03), 67: (0, -0.026), 62: (0, -0.03),
        61: (0, -0.026), 51: (0, -0.026), 50: (0, -0.024), 49: (0, -0.01), 48: (0, 0.015), 60: (0, 0.012),
        8: (0, -0.03), 7: (0, -0.02),
    }),
    20: _unit("lip stretcher", {
        48: (-0.15, 0.045), 49: (-0.085, 0.012), 50: (-0.02, 0.012), 58: (-0.04, 0.015),
        59: (-0.095, 0.035), 60: (-0.14, 0.042), 61: (-0.05, 0), 67: (-0.05, 0.012),
    }),
    23: _unit("lip tightener", {
        48: (0.03, 0), 60: (0.03, 0), 49: (0.012, 0.028), 50: (0, 0.036), 51: (0, 0.034), 57: (0, -0.04),
        58: (0, -0.038), 59: (0.012, -0.022),
    }),
    24: _unit("lip pressor", {
        49: (0, 0.022), 50: (0, 0.03), 51: (0, 0.03), 57: (0, -0.038), 58: (0, -0.036), 59: (0, -0.02),
        48: (-0.01, 0), 60: (-0.01, 0),
    }),
    25: _unit("lips part", {
        50: (0, -0.012), 51: (0, -0.014), 61: (0, -0.03), 62: (0, -0.032), 66: (0, 0.075),
        67: (-0.01, 0.066), 57: (0, 0.062), 58: (-0.005, 0.057), 59: (-0.005, 0.026),
    }),
    26: _unit("jaw drop", {
        48: (0.025, 0.055), 49: (0.01, 0.012), 59: (-0.005, 0.155), 58: (-0.015, 0.205), 57: (0, 0.21),
        60: (0.03, 0.07), 67: (-0.055, 0.185), 66: (0, 0.215), 61: (-0.045, -0.005), 62: (0, -0.022),
        3: (0, 0.02), 4: (0.01, 0.07), 5: (0.015, 0.13), 6: (0.01, 0.17), 7: (0, 0.19), 8: (0, 0.2),
    }),
    27: _unit("mouth stretch", {
        48: (0.06, 0.12), 49: (0, 0), 50: (-0.015, -0.045), 51: (0, -0.04), 59: (-0.01, 0.35),
        58: (-0.03, 0.42), 57: (0, 0.43), 60: (0.065, 0.13), 61: (-0.07, -0.015), 62: (0, -0.055),
        67: (-0.085, 0.345), 66: (0, 0.4), 3: (0, 0.04), 4: (0.02, 0.14), 5: (0.03, 0.24), 6: (0.02, 0.31),
        7: (0, 0.35), 8: (0, 0.36),
    }),
}
# fmt: on
"""Supported action units, by FACS number."""


def _displacement_tables() -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Unit -> two float64 (68, 2): displacements at full intensity of the left and of the right side."""
    tables = {}
    for number, unit in ACTION_UNITS.items():
        left = np.zeros((68, 2))
        for landmark, offset in unit.moves.items():
            midline = MIRRORED_LANDMARKS[landmark] == landmark
            left[landmark] = np.multiply(offset, 0.5 if midline else 1.0)
        right = left[MIRRORED_LANDMARKS] * (-1.0, 1.0)
        tables[number] = (left, right)
    return tables


_DISPLACEMENTS = _displacement_tables()


def displacements(intensities: Intensities) -> np.ndarray:
    """float64 (68, 2): sum over units of intensity times displacement, in face units."""
    total = np.zeros((68, 2))
    for number in sorted(intensities):
        left, right = _DISPLACEMENTS[number]
        total += intensities[number][0] * left + intensities[number][1] * right
    return total
