"""Identities of synthetic people: all properties of a face that no expression changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datasets.synthetic.randomness import bell, between, chance, generator

# sRGB colours of skin from light to dark; identities interpolate between neighbours.
SKIN_TONES = ((240, 206, 188), (229, 184, 160), (208, 158, 128), (176, 124, 94), (134, 90, 66), (96, 64, 50))
HAIR_COLOURS = (
    (38, 30, 28),
    (52, 36, 28),
    (84, 56, 38),
    (120, 84, 54),
    (176, 138, 88),
    (110, 52, 32),
    (150, 146, 142),
)
EYE_COLOURS = ((72, 46, 30), (92, 62, 38), (104, 92, 54), (86, 106, 112), (92, 122, 150), (84, 112, 84))
HAIR_STYLES = ("shaved", "short", "side_parted", "fringe", "long", "curly", "receding")
BEARDS = ("none", "stubble", "moustache", "full")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A person. Lengths are factors of the mean face, or offsets in face units (inter-eye distance 0.84)."""

    key: int
    """Seed of this person's fixed textures: freckles, hair strands, skin noise."""
    face_width: float
    """Factor of the width of the whole face."""
    jaw_width: float
    """Factor of the width at the jaw angles, on top of `face_width`."""
    chin_length: float
    """Offset of the chin, downwards."""
    chin_width: float
    """Factor of the width of the chin."""
    forehead_height: float
    """Offset of the hairline and crown, upwards."""
    eye_spacing: float
    """Offset of each eye, away from the midline."""
    eye_size: float
    """Factor of the width of the eye opening."""
    eye_opening: float
    """Factor of the height of the eye opening at rest."""
    eye_tilt: float
    """Rise of the outer eye corner."""
    lid_crease: float
    """Offset of the crease above the upper lid; small values hide it."""
    brow_height: float
    """Offset of the brows, upwards."""
    brow_tilt: float
    """Rise of the inner brow end relative to the outer one: a worried or a stern neutral face."""
    brow_arch: float
    """Offset of the arch of the brow, upwards."""
    brow_thickness: float
    """Factor of the thickness of the brows."""
    nose_length: float
    """Offset of the nose tip, downwards."""
    nose_width: float
    """Factor of the width of the nose wings."""
    nose_bridge: float
    """Factor of the height of the bridge."""
    nose_tip: float
    """Factor of the size of the tip."""
    mouth_height: float
    """Offset of the mouth, downwards."""
    mouth_width: float
    """Factor of the width of the mouth."""
    upper_lip: float
    """Factor of the thickness of the upper lip."""
    lower_lip: float
    """Factor of the thickness of the lower lip."""
    mouth_corners: float
    """Offset of the mouth corners at rest, upwards."""
    cheek_fullness: float
    """Factor of the volume of the cheeks."""
    age: float
    """From 0 (young) to 1 (old): furrows at rest, sagging, gray hair."""
    beard: str
    """One of BEARDS."""
    hair_style: str
    """One of HAIR_STYLES."""
    glasses: int
    """0 none, 1 round rims, 2 angular rims."""
    freckles: float
    """From 0 (none) to 1 (many)."""
    texture: float
    """Strength of the skin texture."""
    skin: tuple[float, float, float]
    """sRGB in [0, 255]."""
    lips: tuple[float, float, float]
    """sRGB in [0, 255]."""
    hair: tuple[float, float, float]
    """sRGB in [0, 255]; also the colour of brows and beard."""
    iris: tuple[float, float, float]
    """sRGB in [0, 255]."""
    cloth: tuple[float, float, float]
    """sRGB in [0, 255]."""
    asymmetry: tuple[float, ...]
    """Six offsets of the image-left side from the right one, face units."""


def _mix(first: Sequence[float], second: Sequence[float], share: float) -> tuple[float, float, float]:
    mixed = [a + (b - a) * share for a, b in zip(first, second, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def _skin_tone(random: np.random.Generator) -> tuple[tuple[float, float, float], float]:
    """A skin colour and its darkness in [0, 1]."""
    position = between(random, 0.0, len(SKIN_TONES) - 1.001)
    low = int(position)
    red, green, blue = _mix(SKIN_TONES[low], SKIN_TONES[low + 1], position - low)
    warmth = bell(random, 3.0)
    return (red + warmth, green, blue - warmth), position / (len(SKIN_TONES) - 1)


def draw_identity(seed: int, subject: int) -> Identity:
    """The person with number `subject` in the set with this seed; deterministic."""
    random = generator(seed, subject, 1)
    skin, darkness = _skin_tone(random)
    masculine = between(random, 0.0, 1.0)
    age = between(random, 0.0, 1.0)
    age *= age
    hair = HAIR_COLOURS[int(random.integers(len(HAIR_COLOURS) - 1))]
    if darkness > 0.55:
        hair = HAIR_COLOURS[int(random.integers(2))]
    hair_colour = _mix(hair, HAIR_COLOURS[-1], max(0.0, age - 0.45) * 1.6)
    iris = EYE_COLOURS[int(random.integers(2 if darkness > 0.5 else len(EYE_COLOURS)))]
    lip_red = between(random, 0.35, 0.75) - 0.25 * masculine
    style_weights = (
        0.25 * masculine,
        0.3 + 0.5 * masculine,
        0.5,
        0.35,
        1.1 * (1 - masculine),
        0.35,
        0.5 * masculine * age,
    )
    pick = between(random, 0.0, sum(style_weights))
    style = int(np.searchsorted(np.cumsum(style_weights), pick))
    beard_draw = between(random, 0.0, 1.0) if masculine > 0.55 else 0.0
    cloth = tuple(between(random, 25, 190) for _ in range(3))
    return Identity(
        key=int(random.integers(2**31)),
        face_width=1.0 + bell(random, 0.055),
        jaw_width=0.95 + 0.09 * masculine + bell(random, 0.055),
        chin_length=0.05 * masculine + bell(random, 0.06),
        chin_width=0.9 + 0.22 * masculine + bell(random, 0.1),
        forehead_height=bell(random, 0.06),
        eye_spacing=bell(random, 0.018),
        eye_size=1.04 - 0.06 * masculine + bell(random, 0.06),
        eye_opening=1.08 - 0.14 * masculine - 0.12 * age + bell(random, 0.16),
        eye_tilt=bell(random, 0.018),
        lid_crease=0.055 + bell(random, 0.016),
        brow_height=0.03 - 0.05 * masculine + bell(random, 0.036),
        brow_tilt=bell(random, 0.034),
        brow_arch=0.012 - 0.02 * masculine + bell(random, 0.022),
        brow_thickness=0.8 + 0.5 * masculine + bell(random, 0.16),
        nose_length=bell(random, 0.035),
        nose_width=1.0 + 0.15 * darkness + bell(random, 0.08),
        nose_bridge=1.0 - 0.2 * darkness + bell(random, 0.14),
        nose_tip=1.0 + bell(random, 0.1),
        mouth_height=bell(random, 0.025),
        mouth_width=1.0 + bell(random, 0.09),
        upper_lip=1.05 - 0.3 * masculine + 0.35 * darkness - 0.2 * age + bell(random, 0.16),
        lower_lip=1.05 - 0.15 * masculine + 0.3 * darkness - 0.15 * age + bell(random, 0.14),
        mouth_corners=bell(random, 0.032) - 0.012 * age,
        cheek_fullness=1.0 + bell(random, 0.25),
        age=age,
        beard=BEARDS[0 if beard_draw < 0.45 else 1 + int((beard_draw - 0.45) / 0.551 * 3)],
        hair_style=HAIR_STYLES[min(style, len(HAIR_STYLES) - 1)],
        glasses=int(random.integers(1, 3)) if chance(random, 0.08) else 0,
        freckles=between(random, 0.2, 1.0) if chance(random, 0.25) else 0.0,
        texture=0.5 + 0.5 * age + between(random, 0.0, 0.4),
        skin=skin,
        lips=_mix(
            skin, (172.0 - 70 * darkness, 62.0 - 20 * darkness, 70.0 - 20 * darkness), max(0.2, lip_red)
        ),
        hair=hair_colour,
        iris=(float(iris[0]), float(iris[1]), float(iris[2])),
        cloth=(cloth[0], cloth[1], cloth[2]),
        asymmetry=tuple(bell(random, 0.009) for _ in range(6)),
    )
