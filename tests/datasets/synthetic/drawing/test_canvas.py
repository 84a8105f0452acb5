"""Drawing primitives: what covers nothing changes nothing, and nothing shows outside its patch."""

from __future__ import annotations

import numpy as np

from datasets.synthetic.drawing.canvas import (
    Line,
    Patch,
    bump,
    clipped,
    darken,
    linear,
    paint,
    polygon,
    strokes,
    strokes_of_each_softness,
)

SIZE = 96
SQUARE = np.array([(20.0, 30.0), (60.0, 30.0), (60.0, 70.0), (20.0, 70.0)])
RED = linear((200, 40, 40))


def whole(patch: Patch) -> np.ndarray:
    """float32 [SIZE, SIZE]: the patch's alpha in the whole frame."""
    alpha = np.zeros((SIZE, SIZE), np.float32)
    alpha[patch.box] = patch.alpha
    return alpha


def grey() -> np.ndarray:
    """float32 [3, SIZE, SIZE]: an image that is not constant."""
    return np.random.default_rng(0).random((3, SIZE, SIZE), dtype=np.float32)


def test_a_patch_within_another_has_the_product_of_both_alphas() -> None:
    square, hill = polygon(SQUARE, SIZE, 2.0), bump((60.0, 40.0), (30.0, 25.0), (1.0, 0.0), SIZE)
    for one, other in ((square, hill), (hill, square)):
        assert np.array_equal(whole(one.within(other)), whole(square) * whole(hill))


def test_patches_apart_have_nothing_within_each_other() -> None:
    left, right = (bump((x, y), (8.0, 8.0), (1.0, 0.0), SIZE) for x, y in ((10.0, 10.0), (80.0, 80.0)))
    assert left.within(right).alpha.size == 0
    image = grey()
    paint(image, left.within(right), RED)
    darken(image, left.within(right), (0.5, 0.5, 0.5))
    assert np.array_equal(image, grey())


def test_lines_of_several_softnesses_are_those_of_one_each_but_for_the_reach() -> None:
    lines: list[Line] = [(SQUARE[:2], 3.0, 1.0), (SQUARE[1:3], 2.0, 0.5)]
    together = strokes_of_each_softness(lines, SIZE, (0.5, 2.0), margin=9.0)
    assert together[0].box == together[1].box
    for patch, softness in zip(together, (0.5, 2.0), strict=True):
        assert np.array_equal(whole(patch), whole(strokes(lines, SIZE, softness)))


def test_paint_and_darken_follow_alpha_in_each_channel() -> None:
    patch, before = polygon(SQUARE, SIZE, 2.0), grey()
    painted, darkened = grey(), grey()
    paint(painted, patch, RED, 0.5)
    darken(darkened, patch, (0.0, 0.5, 1.0))
    alpha = whole(patch)
    assert np.allclose(painted, before + 0.5 * alpha * (RED[:, None, None] - before), atol=1e-6)
    assert np.array_equal(darkened[0], before[0])
    assert np.allclose(darkened[1], before[1] * (1 - 0.5 * alpha), atol=1e-6)
    assert (darkened[2][alpha == 1] == 0).all()


def test_what_is_drawn_while_clipped_shows_only_inside_the_patch() -> None:
    patch, image, before = polygon(SQUARE, SIZE, 1.0), grey(), grey()
    with clipped(image, patch, 10.0):
        paint(image, bump((60.0, 50.0), (12.0, 12.0), (1.0, 0.0), SIZE), RED)
    outside = whole(patch) == 0
    assert np.array_equal(image[:, outside], before[:, outside])
    assert not np.array_equal(image[:, 50, 55], before[:, 50, 55])


def test_the_light_of_a_colour_is_kept_and_cannot_be_changed() -> None:
    assert np.allclose(linear([255, 0, 51]), (1.0, 0.0, 0.04))
    assert not linear((255, 0, 51)).flags.writeable
