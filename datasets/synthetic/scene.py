"""How a frame is taken: pose, light, wall or street behind, things in front, and the camera's faults."""

from __future__ import annotations

import math

import cv2
import numpy as np

from datasets.synthetic.canvas import linear, noise, paint, polygon
from datasets.synthetic.geometry import View, smooth_curve
from datasets.synthetic.light import Light
from datasets.synthetic.randomness import bell, between, chance, generator
from datasets.synthetic.renderer import Shot


def _unit_vector(x: float, y: float, z: float) -> tuple[float, float, float]:
    length = math.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


def draw_light(random: np.random.Generator, spread: float) -> Light:
    """A light from above; `spread` 0 is a studio's, 1 comes from anywhere before the face."""
    direction = _unit_vector(
        bell(random, 0.12 + 0.5 * spread), -0.45 + bell(random, 0.06 + 0.3 * spread), between(random, 0.75, 0.95)
    )
    fill = between(random, 0.36 - 0.16 * spread, 0.48 + 0.1 * spread)
    warmth = bell(random, 0.02 + 0.07 * spread)
    return Light(
        direction=direction,
        key=max(0.25, 0.92 + bell(random, 0.08 + 0.18 * spread)),
        fill=fill,
        colour=(1.0 + warmth, 1.0, 1.0 - warmth),
        sheen=between(random, 0.05, 0.14 + 0.12 * spread),
    )


def draw_view(random: np.random.Generator, base: View, wander: float) -> View:
    """The head moved a little from `base`; `wander` in degrees of yaw."""
    return View(
        yaw=base.yaw + bell(random, wander),
        pitch=base.pitch + bell(random, 0.7 * wander),
        roll=base.roll + bell(random, 0.5 * wander),
        scale=base.scale * (1.0 + bell(random, 0.004 * wander)),
        shift_x=base.shift_x + bell(random, 0.002 * wander),
        shift_y=base.shift_y + bell(random, 0.002 * wander),
    )


def base_view(random: np.random.Generator, spread: float) -> View:
    """Where a sequence starts; `spread` is 0 for a chin rest and 1 for people who were not asked to hold still."""
    return View(
        yaw=bell(random, 1.0 + 9.0 * spread),
        pitch=bell(random, 1.0 + 5.0 * spread),
        roll=bell(random, 0.8 + 5.0 * spread),
        scale=1.04 + bell(random, 0.02 + 0.04 * spread),
        shift_x=bell(random, 0.008 + 0.02 * spread),
        shift_y=0.02 + bell(random, 0.008 + 0.015 * spread),
    )


def draw_wall(random: np.random.Generator, size: int) -> np.ndarray:
    """float32 [3, S, S] linear light: a laboratory's wall, lit unevenly."""
    tone = between(random, 70, 190)
    tint = [tone + bell(random, 5.0) for _ in range(3)]
    slope = np.linspace(0.0, 1.0, size, dtype=np.float32)
    across, down = np.float32(bell(random, 0.12)), np.float32(bell(random, 0.12))
    glow = np.float32(1) + across * slope[None, :] + down * slope[:, None]
    return glow * linear(tint)[:, None, None]


def draw_street(random: np.random.Generator, size: int) -> np.ndarray:
    """float32 [3, S, S] linear light: a cluttered place out of focus."""
    image = np.empty((3, size, size), np.float32)
    image[:] = linear([between(random, 40, 200) for _ in range(3)])[:, None, None]
    for _ in range(int(random.integers(6, 16))):
        middle = random.random(2) * size
        corners = int(random.integers(3, 8))
        reach = size * between(random, 0.06, 0.4)
        blob = middle + (random.random((corners, 2)) - 0.5) * 2.0 * reach
        shape = smooth_curve(blob, closed=True) if chance(random, 0.5) else blob
        colour = linear([between(random, 10, 245) for _ in range(3)])
        paint(image, polygon(shape, size, size * between(random, 0.002, 0.02)), colour, between(random, 0.4, 1.0))
    grain = noise(random, size, size, 6)
    image *= np.float32(1) + np.float32(0.2) * grain
    return image


def occlude(image: np.ndarray, random: np.random.Generator, landmarks: np.ndarray) -> None:
    """Something before part of the face: a hand's edge, a scarf, a lock of hair, a bar. Landmarks stay as they are."""
    size = image.shape[1]
    face = np.sqrt(((landmarks[16] - landmarks[0]) ** 2).sum())
    anchor = landmarks[(8, 2, 14, 19, 24, 6, 10)[int(random.integers(7))]]
    outward = anchor - landmarks[30]
    middle = anchor + outward * between(random, 0.05, 0.35)
    ring = np.array([(math.cos(a), math.sin(a)) for a in (0.0, 0.9, 1.8, 2.7, 3.6, 4.5, 5.4)]).round(9)
    wobble = 1.0 + (random.random((7, 1)) - 0.5) * 0.7
    reach = face * between(random, 0.16, 0.34)
    shape = smooth_curve(middle + ring * wobble * reach * (1.0, between(random, 0.5, 1.3)), closed=True)
    colour = linear([between(random, 20, 220) for _ in range(3)])
    patch = polygon(shape, size, size * 0.006)
    weave = np.float32(1) + np.float32(0.25) * noise(random, size, size, 5)[patch.box]
    paint(image, patch, colour[:, None, None] * weave)


def through_camera(picture: np.ndarray, random: np.random.Generator, noise_level: float, softness: float) -> np.ndarray:
    """uint8 [S, S, 3] with the lens's blur (`softness`, pixels) and the sensor's noise (levels of 255)."""
    if softness >= 0.35:
        kernel = 2 * math.ceil(2.3 * softness) + 1
        picture = cv2.GaussianBlur(picture, (kernel, kernel), round(softness, 3), borderType=cv2.BORDER_REPLICATE)
    # The sum of three bytes is nearly bell-shaped; its standard deviation is 128.
    raw = random.integers(0, 256, (3, *picture.shape[:2]), dtype=np.uint8).astype(np.int32).sum(axis=0) - 382
    steps = raw * round(noise_level * 256 / 128)
    grain = (steps + 128) >> 8
    return np.clip(picture.astype(np.int32) + grain[:, :, None], 0, 255).astype(np.uint8)


def shrink_and_restore(picture: np.ndarray, pixels: int) -> np.ndarray:
    """The picture as a camera with only `pixels` x `pixels` would have given it, enlarged again."""
    side = picture.shape[0]
    small = cv2.resize(picture, (pixels, pixels), interpolation=cv2.INTER_LINEAR_EXACT)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR_EXACT)


def studio_shot(seed: int, subject: int, sequence: int, frame: int, difficulty: float) -> Shot:
    """As in a laboratory: one light a subject, one place a sequence, a head that drifts a little."""
    subject_light = draw_light(generator(seed, subject, 5), 0.35 * difficulty)
    sequence_random = generator(seed, subject, 6, sequence)
    base = base_view(sequence_random, 0.35 * difficulty)
    random = generator(seed, subject, 7, sequence, frame)
    wander = (0.2 + 1.4 * difficulty) * min(1.0, 0.25 + 0.25 * frame)
    gaze = (bell(random, 0.006), bell(random, 0.004))
    return Shot(view=draw_view(random, base, wander), light=subject_light, gaze=gaze)


def wild_shot(seed: int, subject: int, sequence: int, frame: int, difficulty: float) -> Shot:
    """As found: every frame at another place, under another light, in another pose."""
    random = generator(seed, subject, 8, sequence, frame)
    view = base_view(random, 0.4 + 0.7 * difficulty)
    gaze = (bell(random, 0.015), bell(random, 0.008))
    return Shot(view=view, light=draw_light(random, 0.5 + 0.5 * difficulty), gaze=gaze)
