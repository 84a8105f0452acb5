"""Recipes: features of one face alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from platform.models.fitted import Faces
from platform.models.recipe import Recipe, computed, same_bits

IMAGES = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3)
CALLS: list[int] = []


def means(face: np.ndarray, factor: float = 1.0) -> np.ndarray:
    return np.asarray(face.mean((0, 1)) * factor, dtype=np.float32)


def counted(face: np.ndarray) -> np.ndarray:
    """Depends on how often it was called."""
    CALLS.append(1)
    return np.array([len(CALLS)])


def by_content(face: np.ndarray) -> np.ndarray:
    return np.zeros(1 + int(face[0, 0, 0] > 20))


def in_place(face: np.ndarray) -> np.ndarray:
    face += 1
    return face


def texts(face: np.ndarray) -> np.ndarray:
    return np.array(["a"])


def number(face: np.ndarray) -> Any:
    return 1.0


def test_each_face_is_computed_by_itself_whatever_stands_beside_it() -> None:
    recipe = Recipe(name="means", function=means, parameters={"factor": 2.0})
    together = recipe.of(IMAGES)
    assert (together.shape, together.dtype) == ((4, 3), np.float32)
    order = np.array([2, 0, 3, 1])
    assert same_bits(recipe.of(IMAGES[order]), together[order])
    for row in range(4):
        assert same_bits(recipe.of(IMAGES[row : row + 1])[0], together[row])
    assert same_bits(computed(recipe, IMAGES), together)
    assert same_bits(Faces(images=IMAGES).features(recipe), together)


def test_nan_is_equal_to_itself_and_zero_differs_from_minus_zero() -> None:
    assert same_bits(np.array([np.nan]), np.array([np.nan]))
    assert not same_bits(np.array([0.0]), np.array([-0.0]))
    assert not same_bits(np.zeros(2), np.zeros((2, 1)))
    assert not same_bits(np.zeros(2), np.zeros(2, dtype=np.int64))


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (counted, ValueError, "must depend on the face and its parameters alone"),
        (by_content, ValueError, r"same shape and type for every face, but returned float64 \[1\] and"),
        (in_place, ValueError, "read-only"),
        (texts, TypeError, "must return an array of numbers, but returned <U1"),
        (number, TypeError, "must return an array of numbers, but returned float"),
    ],
)
def test_what_is_no_function_of_one_face_is_refused(
    function: Callable[..., Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Recipe(name="mine", function=function).of(IMAGES)


@pytest.mark.parametrize("kind", ["lambda", "inner", "partial"])
def test_only_a_function_of_a_module_says_all_that_it_depends_on(kind: str) -> None:
    def inner(face: np.ndarray) -> np.ndarray:
        return face

    made = {"lambda": lambda face: face, "inner": inner, "partial": functools.partial(means, factor=2.0)}
    with pytest.raises(TypeError, match="must be defined in a module by `def`"):
        Recipe(name="mine", function=made[kind])
