from __future__ import annotations

import numpy as np
import pytest

from benchmarks.paired_procedures import (
    ONE_SEED,
    SEVERAL_SEEDS,
    accuracy_ends,
    banerjee_and_unseen,
    interaction_variance,
    seeds_variance,
    subjects_variance,
    t_and_unseen,
)
from benchmarks.paired_simulation import Truth, simulate
from platform.evaluation.accuracy_interval import seed_accuracy_interval
from platform.evaluation.paired_difference import SeedCounts, paired_difference

CEILING = Truth(subjects=7, accuracy=0.98, difference=0.05, heterogeneity="strong", spread="seeds agree")
USUAL = Truth(subjects=20, accuracy=0.7, difference=0.15, heterogeneity="weak", spread="4.9 points, by fold")


@pytest.mark.parametrize("truth", [CEILING, USUAL])
@pytest.mark.parametrize("seeds", [1, 3])
def test_the_measured_procedures_are_those_of_the_platform(truth: Truth, seeds: int) -> None:
    generator = np.random.default_rng(0)
    draws = simulate(truth, seeds, 25, "ckplus", generator)
    first, second = draws.right
    procedure = t_and_unseen if seeds == 1 else banerjee_and_unseen
    low, high = procedure(first - second, draws.images, draws.fold, generator)
    of_first = accuracy_ends(first, draws.images)
    for index, images in enumerate(draws.images):
        found = paired_difference(
            SeedCounts(first=first[index], second=second[index], images=images, fold=draws.fold)
        )
        assert found.interval is not None
        assert (found.interval.low, found.interval.high) == pytest.approx((low[index], high[index]))
        place = np.arange(images.sum()) - np.repeat(np.cumsum(images) - images, images)
        correct = place < np.repeat(first[index], images, axis=1)
        accuracy = seed_accuracy_interval(correct, np.repeat(np.arange(len(images)), images))
        assert (accuracy.low, accuracy.high) == pytest.approx((of_first[0][index], of_first[1][index]))


def test_variances_of_subjects_seeds_and_both_by_hand() -> None:
    """Two seeds, two subjects of ten images, differences of 1, 3 and 5, 7: effects 2 and 1, none of both."""
    gained, images = np.array([[[1, 3], [5, 7]]]), np.array([[10, 10]])
    assert subjects_variance(gained, images)[0] == pytest.approx(0.1**2)
    assert seeds_variance(gained, images) == pytest.approx(0.2**2)
    assert interaction_variance(gained, images) == pytest.approx(0.0)
    assert interaction_variance(np.array([[[1, 3], [7, 5]]]), images) == pytest.approx(0.1**2)


def test_a_simulated_difference_is_the_true_one_on_average() -> None:
    draws = simulate(USUAL, 5, 3_000, "ckplus", np.random.default_rng(1))
    shares = draws.right.sum(axis=3) / draws.images.sum(axis=1)[:, None]
    assert shares.mean(axis=(1, 2)) == pytest.approx([0.7, 0.55], abs=0.01)
    assert draws.of_nets.mean(axis=(1, 2)) == pytest.approx([0.7, 0.55], abs=0.01)


@pytest.mark.parametrize("name", [*ONE_SEED, *SEVERAL_SEEDS])
def test_every_candidate_gives_ordered_ends(name: str) -> None:
    procedure = (ONE_SEED | SEVERAL_SEEDS)[name]
    draws = simulate(USUAL, 3, 20, "unequal", np.random.default_rng(2))
    gained = draws.right[0] - draws.right[1]
    low, high = procedure(gained, draws.images, draws.fold, np.random.default_rng(3))
    assert (low <= high).all()
