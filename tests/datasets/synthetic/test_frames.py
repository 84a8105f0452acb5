"""Frames of a set: the same bytes always and everywhere, and what the parameters promise."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from datasets.synthetic.frames import draw_frame
from datasets.synthetic.identity import draw_identity
from datasets.synthetic.parameters import GENERATOR_VERSION, SetParameters
from platform.errors import UserError

PARAMETERS = SetParameters(subjects=3, frames=6, difficulty=0.5, seed=3, size_pixels=96)
WILD = SetParameters(subjects=3, frames=6, difficulty=0.5, seed=3, size_pixels=96, in_the_wild=True)

HASH_IN_ANOTHER_PROCESS = """
import hashlib
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.parameters import SetParameters
digest = hashlib.sha256()
for wild in (False, True):
    parameters = SetParameters(
        subjects=3, frames=6, difficulty=0.5, seed=3, size_pixels=96, in_the_wild=wild
    )
    for subject in range(3):
        for array in draw_frame(parameters, subject, 2 * subject, 5):
            digest.update(array.tobytes())
print(digest.hexdigest())
"""


def digest_here() -> str:
    """What the other process computes, in this one."""
    digest = hashlib.sha256()
    for parameters in (PARAMETERS, WILD):
        for subject in range(3):
            for array in draw_frame(parameters, subject, 2 * subject, 5):
                digest.update(array.tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        # Another processor: without the vector instructions that numpy and OpenCV would choose here.
        {
            "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
            "OPENCV_CPU_DISABLE": "AVX2,AVX512_SKX",
        },
    ],
)
def test_the_same_seed_gives_the_same_bytes_in_another_process(
    root: Path, environment: dict[str, str]
) -> None:
    result = subprocess.run(
        [sys.executable, "-c", HASH_IN_ANOTHER_PROCESS],
        cwd=root, env=os.environ | environment, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert result.stdout.strip() == digest_here()


def test_the_pixels_of_this_generator_version_are_these() -> None:
    """Other pixels need another GENERATOR_VERSION: sets on disk are recognised by it."""
    assert GENERATOR_VERSION == 4
    assert hashlib.sha256(draw_frame(PARAMETERS, 1, 4, 5)[0].tobytes()).hexdigest() == (
        "b47c46c197e46a40d1dcb4aea45fffd4e7f4d31f9bac2d6bc7f03b9528aa5502"
    )


def test_a_frame_does_not_depend_on_which_frames_were_drawn_before() -> None:
    alone = draw_frame(PARAMETERS, 1, 4, 5)[0]
    for subject in range(3):
        draw_frame(PARAMETERS, subject, 0, 0)
    assert np.array_equal(alone, draw_frame(PARAMETERS, 1, 4, 5)[0])


def test_more_subjects_leave_the_first_ones_as_they_were() -> None:
    more = SetParameters(subjects=50, frames=6, difficulty=0.5, seed=3, size_pixels=96)
    assert np.array_equal(draw_frame(PARAMETERS, 2, 6, 5)[0], draw_frame(more, 2, 6, 5)[0])


def test_another_seed_draws_other_people() -> None:
    assert draw_identity(0, 0) != draw_identity(1, 0)
    assert draw_identity(0, 0) == draw_identity(0, 0)


@pytest.mark.parametrize("parameters", [PARAMETERS, WILD])
def test_frames_are_rgb_pictures_with_all_inner_landmarks_inside(parameters: SetParameters) -> None:
    picture, landmarks = draw_frame(parameters, 0, 6, 5)
    assert picture.shape == (96, 96, 3)
    assert picture.dtype == np.uint8
    assert landmarks.shape == (68, 2)
    assert ((landmarks[17:] > 0) & (landmarks[17:] < 95)).all()
    assert picture.std() > 15


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"subjects": 0}, "subjects"), ({"subjects": 501}, "subjects"), ({"frames": 3}, "frames"),
        ({"difficulty": 1.01}, "difficulty"), ({"difficulty": float("nan")}, "difficulty"),
        ({"seed": -1}, "seed"), ({"size_pixels": 20}, "size"),
    ],
)  # fmt: skip
def test_impossible_parameters_are_refused_by_name(changes: dict[str, float], words: str) -> None:
    sound = {"subjects": 3, "frames": 6, "difficulty": 0.5, "seed": 0, "size_pixels": 96}
    with pytest.raises(UserError, match=f"^{words} must be .* but got .*; pass --"):
        SetParameters(**(sound | changes))  # type: ignore[arg-type]
