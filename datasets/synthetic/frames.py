"""Frames of a synthetic set, each a function of the parameters and its position alone."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from datasets.synthetic.drawing.renderer import develop, draw_face, drawing_factor, shrink_points
from datasets.synthetic.drawing.scene import (
    draw_wall,
    occlude,
    shrink_and_restore,
    studio_shot,
    through_camera,
    wild_shot,
)
from datasets.synthetic.drawing.street import draw_street
from datasets.synthetic.identity import Identity, draw_identity
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import (
    EXPRESSIONS,
    Performance,
    perform,
    perform_single_units,
    progress_of_frame,
)
from datasets.synthetic.randomness import between, chance, generator


@lru_cache(maxsize=8)
def person(seed: int, subject: int) -> Identity:
    """The identity of a subject, cached while its frames are drawn."""
    return draw_identity(seed, subject)


@lru_cache(maxsize=16)
def _acting(seed: int, subject: int, sequence: int, difficulty: float) -> Performance:
    if sequence < len(EXPRESSIONS):
        return perform(seed, subject, EXPRESSIONS[sequence], difficulty)
    return perform_single_units(seed, subject)


@lru_cache(maxsize=4)
def _wall(seed: int, subject: int, size: int) -> np.ndarray:
    return draw_wall(generator(seed, subject, 10), size)


def draw_frame(
    parameters: SetParameters, subject: int, sequence: int, frame: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one frame; subject, sequence (0 to 6: EXPRESSIONS; 7: unlabelled) and frame are counted from 0.

    Returns the image, uint8 [S, S, 3] RGB, and its landmarks, float64 (68, 2) in pixels.
    """
    seed, difficulty = parameters.seed, parameters.difficulty
    who = person(seed, subject)
    units = _acting(seed, subject, sequence, difficulty).units(progress_of_frame(frame, parameters.frames))
    factor = drawing_factor(parameters.size_pixels)
    size = parameters.size_pixels * factor
    random = generator(seed, subject, 9, sequence, frame)
    if parameters.in_the_wild:
        shot = wild_shot(seed, subject, sequence, frame, difficulty)
        image = draw_street(random, seed, size)
    else:
        shot = studio_shot(seed, subject, sequence, frame, difficulty)
        image = _wall(seed, subject, size).copy()
    landmarks = draw_face(image, who, units, shot)
    if parameters.in_the_wild and chance(random, 0.25 + 0.25 * difficulty):
        occlude(image, random, landmarks, who)
    picture = develop(image, factor)
    if parameters.in_the_wild and chance(random, 0.4):
        picture = shrink_and_restore(picture, round(parameters.size_pixels * between(random, 0.4, 0.8)))
    softness = between(random, 0.0, 0.5 + 0.5 * difficulty) * parameters.size_pixels / 256
    picture = through_camera(picture, random, noise_level=1.0 + 3.0 * difficulty, softness=softness)
    return picture, shrink_points(landmarks, factor)
