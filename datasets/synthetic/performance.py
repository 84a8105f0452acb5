"""A person's performance of an expression: action units with their intensity, asymmetry and timing.

Sets of units follow Ekman and Friesen's EMFACS prototypes, as used for CK+'s emotion labels (Lucey et al.,
*The Extended Cohn-Kanade Dataset*, 2010, table 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from datasets.synthetic.action_units import ACTION_UNITS, Intensities
from datasets.synthetic.randomness import bell, between, chance, generator

EXPRESSIONS = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""The seven expressions; sequence n of a subject shows number n."""

PROTOTYPES: dict[str, dict[int, float]] = {
    "anger": {4: 1.0, 5: 0.5, 7: 0.85, 23: 0.9, 24: 0.35},
    "contempt": {12: 0.75, 14: 1.0},
    "disgust": {9: 0.95, 10: 0.75, 7: 0.4},
    "fear": {1: 0.95, 2: 0.6, 4: 0.65, 5: 0.9, 20: 0.8, 25: 0.6},
    "happiness": {6: 0.8, 12: 0.95},
    "sadness": {1: 0.9, 4: 0.55, 15: 0.95, 17: 0.5},
    "surprise": {1: 0.95, 2: 0.95, 5: 0.7, 25: 0.3},
}
"""Units that everyone shows, with intensity at the apex."""

VARIANTS: dict[str, tuple[tuple[float, dict[int, float]], ...]] = {
    "anger": ((0.35, {17: 0.5}), (0.3, {24: 0.5}), (0.2, {10: 0.35, 25: 0.5})),
    "contempt": ((0.3, {2: 0.4}), (0.3, {10: 0.35}), (0.25, {7: 0.3})),
    "disgust": ((0.5, {4: 0.5}), (0.45, {17: 0.6}), (0.45, {25: 0.55}), (0.3, {15: 0.3}), (0.35, {6: 0.35})),
    "fear": ((0.55, {26: 0.55}), (0.3, {7: 0.3})),
    "happiness": ((0.8, {25: 0.75}), (0.25, {26: 0.3}), (0.15, {1: 0.25, 2: 0.25})),
    "sadness": ((0.5, {17: 0.4}), (0.3, {7: 0.3}), (0.25, {6: 0.3})),
    "surprise": ((0.5, {27: 0.75}), (0.7, {26: 0.5})),
}
"""Units that only some people show in addition: (probability, units)."""

ONE_SIDED = frozenset({"contempt"})


@dataclass(frozen=True, kw_only=True)
class Performance:
    """The course of one sequence: intensities at the apex and the delay of each unit."""

    apex: Intensities
    """Intensities in the last frame."""
    delays: dict[int, float]
    """Unit -> fraction of the onset before it starts, in [0, 0.25]."""

    def units(self, progress: float) -> dict[int, tuple[float, float]]:
        """Intensities at `progress`, from 0 (exactly neutral) to 1 (apex)."""
        shown = {}
        for number, (left, right) in self.apex.items():
            share = min(1.0, max(0.0, (progress - self.delays[number]) / (1.0 - self.delays[number])))
            if share:
                smooth = share * share * (3.0 - 2.0 * share)
                shown[number] = (left * smooth, right * smooth)
        return shown


@lru_cache(maxsize=8)
def _style(
    seed: int, subject: int, difficulty: float
) -> tuple[float, dict[int, float], dict[int, float], int]:
    """A person's expressiveness, gain and asymmetry of each unit, and preferred side, for all sequences."""
    random = generator(seed, subject, 2)
    expressiveness = 1.0 + bell(random, 0.04 + 0.22 * difficulty)
    gains = {number: max(0.2, 1.0 + bell(random, 0.08 + 0.44 * difficulty)) for number in ACTION_UNITS}
    leans = {number: bell(random, 0.04 + 0.16 * difficulty) for number in ACTION_UNITS}
    return expressiveness, gains, leans, -1 if chance(random, 0.5) else 1


def perform(seed: int, subject: int, expression: str, difficulty: float) -> Performance:
    """The performance of `expression` by person `subject` of this set."""
    expressiveness, gains, leans, side = _style(seed, subject, difficulty)
    random = generator(seed, subject, 3, EXPRESSIONS.index(expression))
    wanted = dict(PROTOTYPES[expression])
    for probability, extra in VARIANTS[expression]:
        if chance(random, probability):
            for number, intensity in extra.items():
                wanted[number] = max(wanted.get(number, 0.0), intensity)
    if expression == "surprise" and not wanted.keys() & {26, 27}:
        wanted[26] = 0.55
    effort = (1.08 - 0.82 * difficulty) * expressiveness * (1.0 + bell(random, 0.05 + 0.2 * difficulty))
    stray = int(random.choice(sorted(ACTION_UNITS)))
    if chance(random, 0.7 * difficulty) and stray not in (26, 27):
        wanted[stray] = max(wanted.get(stray, 0.0), between(random, 0.1, 0.4))
    apex = {}
    for number in sorted(wanted):
        drop = 0.35 if chance(random, 0.4 * difficulty) else 1.0
        level = wanted[number] * effort * gains[number] * drop
        if expression in ONE_SIDED and number != 7:
            weak = 0.25 * difficulty * between(random, 0.0, 1.0)
            left, right = (level, weak * level) if side < 0 else (weak * level, level)
        else:
            left, right = level * (1.0 + leans[number]), level * (1.0 - leans[number])
        apex[number] = (float(np.clip(left, 0.0, 1.15)), float(np.clip(right, 0.0, 1.15)))
    delays = {number: between(random, 0.0, 0.25) for number in apex}
    return Performance(apex=apex, delays=delays)


def perform_single_units(seed: int, subject: int) -> Performance:
    """An unlabelled sequence, like many in CK+: one to three arbitrary units that form no emotion."""
    random = generator(seed, subject, 4)
    chosen = random.choice(sorted(set(ACTION_UNITS) - {27}), size=int(random.integers(1, 4)), replace=False)
    apex = {
        int(number): (level, level)
        for number, level in ((n, between(random, 0.4, 1.0)) for n in sorted(chosen))
    }
    return Performance(apex=apex, delays=dict.fromkeys(apex, 0.0))


def progress_of_frame(frame: int, frames: int) -> float:
    """Progress at frame 0 ... frames - 1: the first is neutral, the last three near the apex, as used in
    CK+."""
    if frame <= 0:
        return 0.0
    last_three = frame - (frames - 3)
    if last_three >= 0:
        return (0.86, 0.94, 1.0)[last_three]
    return 0.86 * frame / (frames - 3)
