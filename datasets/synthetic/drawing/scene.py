"""Scene of a frame: pose, light, background wall, occluding objects, and imperfections of the camera."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from datasets.synthetic.drawing.canvas import hairs, linear, noise, paint, polygon, tapered
from datasets.synthetic.drawing.geometry import View, smooth_curve
from datasets.synthetic.drawing.light import Light
from datasets.synthetic.drawing.renderer import Shot
from datasets.synthetic.drawing.street import muted
from datasets.synthetic.identity import Identity
from datasets.synthetic.randomness import bell, between, chance, generator


def _unit_vector(x: float, y: float, z: float) -> tuple[float, float, float]:
    length = math.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


def draw_light(random: np.random.Generator, spread: float) -> Light:
    """A light from above; `spread` from 0 (a studio) to 1 (anywhere in front of the face)."""
    direction = _unit_vector(
        bell(random, 0.12 + 0.5 * spread),
        -0.45 + bell(random, 0.06 + 0.3 * spread),
        between(random, 0.75, 0.95),
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
    """The head moved slightly from `base`; `wander`: standard deviation of yaw in degrees."""
    return View(
        yaw=base.yaw + bell(random, wander),
        pitch=base.pitch + bell(random, 0.7 * wander),
        roll=base.roll + bell(random, 0.5 * wander),
        scale=base.scale * (1.0 + bell(random, 0.004 * wander)),
        shift_x=base.shift_x + bell(random, 0.002 * wander),
        shift_y=base.shift_y + bell(random, 0.002 * wander),
    )


def base_view(random: np.random.Generator, spread: float) -> View:
    """The view at the start of a sequence; `spread` from 0 (chin rest) to 1 (unconstrained)."""
    return View(
        yaw=bell(random, 1.0 + 9.0 * spread),
        pitch=bell(random, 1.0 + 5.0 * spread),
        roll=bell(random, 0.8 + 5.0 * spread),
        scale=1.04 + bell(random, 0.02 + 0.04 * spread),
        shift_x=bell(random, 0.008 + 0.02 * spread),
        shift_y=0.02 + bell(random, 0.008 + 0.015 * spread),
    )


def draw_wall(random: np.random.Generator, size: int) -> np.ndarray:
    """float32 [3, S, S] linear light: an unevenly lit laboratory wall."""
    tone = between(random, 70, 190)
    tint = [tone + bell(random, 5.0) for _ in range(3)]
    slope = np.linspace(0.0, 1.0, size, dtype=np.float32)
    across, down = np.float32(bell(random, 0.12)), np.float32(bell(random, 0.12))
    glow = np.float32(1) + across * slope[None, :] + down * slope[:, None]
    return glow * linear(tint)[:, None, None]


def occlude(image: np.ndarray, random: np.random.Generator, landmarks: np.ndarray, who: Identity) -> None:
    """Occlude part of the face by fingers, a scarf, a lock of hair or a cup.

    `landmarks`: (68, 2) in pixels, not changed.
    """
    size = image.shape[1]
    width = float(np.sqrt(((landmarks[16] - landmarks[0]) ** 2).sum()))
    kind = int(random.integers(4))
    if kind == 0:
        _paint_fingers(image, random, landmarks, width, who.skin)
    elif kind == 1:
        edge = landmarks[[1, 3, 48 if chance(random, 0.3) else 5, 57, 11, 13, 15]] + (
            0.0,
            between(random, 0.0, 0.12) * width,
        )
        below = edge[::-1] + (0.0, 1.4 * width)
        outline = np.concatenate([smooth_curve(edge), below])
        patch = polygon(outline, size, 0.012 * width)
        weave = np.float32(1) + np.float32(0.25) * noise(random, size, size, max(2, size // 50))[patch.box]
        paint(image, patch, linear(muted(random, 30, 210))[:, None, None] * weave)
    elif kind == 2:
        side = 0 if chance(random, 0.5) else 16
        start = landmarks[[19, 24][side > 0]] + (0.0, -0.45 * width)
        ends = landmarks[side] + random.random((26, 2)) * (0.3 * width, 0.3 * width)
        middle = (
            0.55 * start
            + 0.45 * landmarks[36 if side == 0 else 45]
            + (random.random((26, 2)) - 0.5) * 0.3 * width
        )
        curves = smooth_curve(np.stack([np.broadcast_to(start, middle.shape), middle, ends], axis=1))
        paint(
            image,
            hairs(curves, max(1.0, 0.012 * width), (0.8,), size, 0.004 * width),
            linear(who.hair) * np.float32(0.6),
        )
    else:
        corner = landmarks[int(random.integers(3, 14))]
        box = np.array([(-1, -1.4), (1, -1.4), (0.9, 1.4), (-0.9, 1.4)]) * width * between(random, 0.12, 0.2)
        colour = linear(muted(random, 30, 230))
        paint(image, polygon(corner + box, size, 0.006 * width), colour)
        paint(image, polygon(corner + box * (0.25, 1.0), size, 0.05 * width), colour * np.float32(1.5), 0.6)


def _paint_fingers(
    image: np.ndarray,
    random: np.random.Generator,
    landmarks: np.ndarray,
    width: float,
    skin: tuple[float, float, float],
) -> None:
    """Paint four fingers from below or from the side, over the chin or a cheek."""
    size = image.shape[1]
    anchor = landmarks[(5, 8, 11, 3, 13)[int(random.integers(5))]]
    inward = landmarks[30] - anchor
    length = float(np.sqrt((inward * inward).sum()))
    inward = inward / length
    across = np.array([-inward[1], inward[0]])
    reach = between(random, 0.15, 0.45) * length
    for finger in (-1.5, -0.5, 0.5, 1.5):
        tip = anchor + inward * (reach - 0.03 * width * finger * finger) + across * finger * 0.085 * width
        line = smooth_curve(np.stack([tip - inward * 0.7 * width, tip - inward * 0.3 * width, tip]))
        half = np.full(len(line), 0.045 * width)
        half[-4:] *= (0.97, 0.9, 0.75, 0.4)
        tone = linear(skin) * np.float32(0.62)
        paint(image, polygon(tapered(line, half), size, 0.008 * width), tone * np.float32(0.55))
        paint(image, polygon(tapered(line, 0.8 * half), size, 0.014 * width), tone)


def through_camera(
    picture: np.ndarray, random: np.random.Generator, noise_level: float, softness: float
) -> np.ndarray:
    """uint8 [S, S, 3] with lens blur (`softness`, pixels) and sensor noise (`noise_level`, gray levels)."""
    if softness >= 0.35:
        kernel = 2 * math.ceil(2.3 * softness) + 1
        picture = cv2.GaussianBlur(
            picture, (kernel, kernel), round(softness, 3), borderType=cv2.BORDER_REPLICATE
        )
    # The sum of two random bytes is roughly bell-shaped, with a standard deviation of 104.
    height, width = picture.shape[:2]
    words = random.bit_generator.random_raw(-(-height * width // 4)).astype("<u8", copy=False)
    first, second = words.view(np.uint8)[: 2 * height * width].reshape(2, height, width)
    grain = first.astype(np.int16)
    grain += second
    grain -= 255
    grain *= min(128, round(noise_level * 256 / 104))
    grain += 128
    grain >>= 8
    brighter = cv2.cvtColor(np.maximum(grain, 0).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    darker = cv2.cvtColor(np.maximum(-grain, 0).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    return cv2.subtract(cv2.add(picture, brighter), darker)


def shrink_and_restore(picture: np.ndarray, pixels: int) -> np.ndarray:
    """The image downscaled to `pixels` x `pixels`, like one of a low-resolution camera, and enlarged
    again."""
    side = picture.shape[0]
    small = cv2.resize(picture, (pixels, pixels), interpolation=cv2.INTER_LINEAR_EXACT)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR_EXACT)


def studio_shot(seed: int, subject: int, sequence: int, frame: int, difficulty: float) -> Shot:
    """A laboratory shot: one light and seat per subject; the head drifts from sequence to sequence."""
    light, seat = _studio(seed, subject, difficulty)
    base = draw_view(generator(seed, subject, 6, sequence), seat, 2.0 * difficulty)
    random = generator(seed, subject, 7, sequence, frame)
    wander = (0.2 + 1.2 * difficulty) * min(1.0, 0.25 + 0.25 * frame)
    gaze = (bell(random, 0.006), bell(random, 0.004))
    return Shot(view=draw_view(random, base, wander), light=light, gaze=gaze)


@lru_cache(maxsize=8)
def _studio(seed: int, subject: int, difficulty: float) -> tuple[Light, View]:
    """The light and the seat of a subject."""
    random = generator(seed, subject, 5)
    return draw_light(random, 1.0 * difficulty), base_view(random, 0.5 * difficulty)


def wild_shot(seed: int, subject: int, sequence: int, frame: int, difficulty: float) -> Shot:
    """An in-the-wild shot: another pose and light in every frame."""
    random = generator(seed, subject, 8, sequence, frame)
    view = base_view(random, 0.4 + 0.7 * difficulty)
    gaze = (bell(random, 0.015), bell(random, 0.008))
    return Shot(view=view, light=draw_light(random, 0.5 + 0.5 * difficulty), gaze=gaze)
