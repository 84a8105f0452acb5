"""Random numbers that are equal on every machine.

Every choice has its own generator, keyed by seed, subject, sequence and frame, so adding a subject or a frame
changes nothing else. Only uniform draws are used, because numpy's normal sampler calls `log` and `exp` of the
C library, which differ in the last bit between libraries.
"""

from __future__ import annotations

import numpy as np


def generator(*keys: int) -> np.random.Generator:
    """The generator for `keys` (non-negative integers, the most general first; trailing zeros have no
    effect)."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(keys)))


def bell(random: np.random.Generator, spread: float = 1.0) -> float:
    """One draw from a bell-shaped distribution with mean 0, standard deviation `spread` and a range of ±3.5
    standard deviations (the sum of four uniform draws)."""
    first, second, third, fourth = random.random(4).tolist()
    return spread * ((first + second + third + fourth - 2.0) * 1.7320508075688772)


def between(random: np.random.Generator, low: float, high: float) -> float:
    """One uniform draw from [low, high)."""
    return low + (high - low) * float(random.random())


def chance(random: np.random.Generator, probability: float) -> bool:
    """True with the given probability. Always draws once, so that later draws do not depend on it."""
    return bool(random.random() < probability)
