"""Random numbers that are the same on every machine.

Every choice has a generator of its own, keyed by what it belongs to (seed, subject, sequence, frame),
so adding a subject or a frame changes nothing else. Only uniform draws are used: numpy's normal
sampler calls the machine's `log` and `exp`, which differ in the last bit between C libraries.
"""

from __future__ import annotations

import numpy as np


def generator(*keys: int) -> np.random.Generator:
    """The generator that belongs to `keys` (non-negative integers, most general first)."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(keys)))


def bell(random: np.random.Generator, spread: float = 1.0) -> float:
    """One draw from a bell-shaped distribution: mean 0, standard deviation `spread`, within ±3.5 of it."""
    first, second, third, fourth = random.random(4).tolist()
    return spread * ((first + second + third + fourth - 2.0) * 1.7320508075688772)


def between(random: np.random.Generator, low: float, high: float) -> float:
    """One uniform draw from [low, high)."""
    return low + (high - low) * float(random.random())


def chance(random: np.random.Generator, probability: float) -> bool:
    """True with the given probability. Always draws once, so later draws do not depend on it."""
    return bool(random.random() < probability)
