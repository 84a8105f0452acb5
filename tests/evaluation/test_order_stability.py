from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
from scipy.stats import norm

from platform.evaluation.accuracy_interval import clopper_pearson
from platform.evaluation.order_stability import Ranks, Scored, order_stability, ranks

IMAGES = 10


def results(counts: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], Scored]:
    """Correct images of ten, by division and seed."""
    return {cell: Scored(correct=correct, images=IMAGES) for cell, correct in counts.items()}


FIRST = results({(0, 0): 9, (0, 1): 7, (1, 0): 8, (1, 1): 8, (2, 0): 6, (2, 1): 9})
SECOND = results({(0, 0): 5, (0, 1): 7, (1, 0): 7, (1, 1): 5, (2, 0): 8, (2, 1): 8})


def test_above_tied_and_below_are_counted_over_divisions_and_seeds() -> None:
    found = order_stability(FIRST, SECOND)
    assert found is not None
    assert (found.above, found.tied, found.below, found.count) == (4, 1, 1, 6)
    assert (found.division_count, found.seed_count) == (3, 2)
    assert found.share == pytest.approx(4.5 / 6)
    assert (found.difference, found.lowest, found.highest) == (
        pytest.approx(0.35 / 3), pytest.approx(-0.05), pytest.approx(0.2),
    )  # fmt: skip


def test_the_other_way_round_everything_is_mirrored() -> None:
    found, mirrored = order_stability(FIRST, SECOND), order_stability(SECOND, FIRST)
    assert found is not None
    assert mirrored is not None
    assert (mirrored.above, mirrored.tied, mirrored.below) == (found.below, found.tied, found.above)
    assert mirrored.difference == -found.difference
    assert (mirrored.lowest, mirrored.highest) == (-found.highest, -found.lowest)
    assert found.interval is not None
    assert mirrored.interval is not None
    assert mirrored.interval.low == pytest.approx(1 - found.interval.high)


def test_the_interval_counts_divisions_and_not_seeds() -> None:
    """Three of three is [0.29, 1], with one seed as with four."""
    for seeds in (1, 4):
        cells = [(division, seed) for division in range(3) for seed in range(seeds)]
        found = order_stability(results(dict.fromkeys(cells, 9)), results(dict.fromkeys(cells, 8)))
        assert found is not None
        assert found.interval is not None
        assert (found.interval.low, found.interval.high) == (pytest.approx(0.2924, abs=1e-4), 1.0)


def test_only_common_divisions_and_seeds_count_and_one_division_has_no_interval() -> None:
    found = order_stability(FIRST, results({(0, 0): 5, (7, 0): 1, (1, 9): 1}))
    assert found is not None
    assert (found.above, found.count, found.division_count, found.interval) == (1, 1, 1, None)
    assert order_stability(FIRST, results({(0, 7): 5})) is None


def test_accuracies_are_compared_exactly() -> None:
    """0.1 + 0.2 is not 0.3 for floats; three of ten is always three of ten."""
    first = {(0, 0): Scored(correct=3, images=10)}
    second = {(0, 0): Scored(correct=30, images=100)}
    found = order_stability(first, second)
    assert found is not None
    assert found.tied == 1


def test_ranks_are_over_common_divisions_and_tied_methods_share_theirs() -> None:
    third = results({(0, 0): 5, (0, 1): 7, (1, 0): 1, (1, 1): 1})
    assert ranks([FIRST, SECOND, third]) == [
        Ranks(best=1.0, median=1.0, worst=1.0),
        Ranks(best=2.0, median=2.25, worst=2.5),
        Ranks(best=2.5, median=2.75, worst=3.0),
    ]
    assert ranks([FIRST, results({(5, 0): 3})]) == [None, None]
    assert ranks([]) == []


@pytest.mark.parametrize("divisions", [2, 5, 20])
@pytest.mark.parametrize("agreement", [0.0, 0.5, 1.0])
def test_the_interval_covers_whether_seeds_agree_or_not(divisions: int, agreement: float) -> None:
    """A difference with a part that the division decides and one that the seed decides."""
    interval = cache(lambda share: clopper_pearson(share, divisions, 0.95))
    draw = np.random.default_rng([divisions, int(2 * agreement)])
    for seeds in (1, 3):
        for true in (0.5, 0.7, 0.97):
            of_division = draw.standard_normal((1500, divisions, 1))
            of_seed = draw.standard_normal((1500, divisions, seeds))
            differences = norm.ppf(true) + agreement**0.5 * of_division + (1 - agreement) ** 0.5 * of_seed
            shares = (differences > 0).sum(axis=(1, 2)) / (divisions * seeds)
            covered = [low <= true <= high for low, high in map(interval, shares.tolist())]
            assert np.mean(covered) >= 0.94  # 1,500 draws: 0.951 less two standard errors
