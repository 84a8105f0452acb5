"""Generators by key, and distributions made from uniform draws."""

from __future__ import annotations

import numpy as np
import pytest

from datasets.synthetic.randomness import bell, between, chance, generator


def test_keys_decide_the_stream_and_nothing_else_does() -> None:
    first = generator(1, 2, 3).random(4).tolist()
    generator(9).random(100)
    assert generator(1, 2, 3).random(4).tolist() == first
    others = [(1, 2), (1, 2, 4), (3, 2, 1), (2, 2, 3)]
    assert all(generator(*keys).random(4).tolist() != first for keys in others)


def test_trailing_zeros_of_the_keys_have_no_effect() -> None:
    """SeedSequence pads with zeros: purposes are told apart by a number of their own, not by key length."""
    assert generator(1, 2).random() == generator(1, 2, 0).random()


def test_the_stream_is_pinned() -> None:
    """Drawn faces are equal on every machine, so this value may never change."""
    assert generator(0, 1, 2).random() == 0.8817035384837327


def test_bell_has_its_mean_spread_and_range() -> None:
    random = generator(0)
    draws = np.array([bell(random, 2.0) for _ in range(4000)])
    assert abs(draws.mean()) < 0.1
    assert draws.std() == pytest.approx(2.0, rel=0.05)
    assert np.abs(draws).max() <= 2.0 * 2 * 3**0.5


def test_between_stays_in_its_range() -> None:
    random = generator(0)
    draws = [between(random, -2.0, 5.0) for _ in range(1000)]
    assert min(draws) >= -2.0
    assert max(draws) < 5.0


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_chance_draws_once_whatever_the_probability(probability: float) -> None:
    random = generator(0)
    share = np.mean([chance(random, probability) for _ in range(2000)])
    assert share == pytest.approx(probability, abs=0.04)
    reference = generator(0)
    reference.random(2000)
    assert random.random() == reference.random()
