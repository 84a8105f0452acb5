from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from platform.evaluation.variance_parts import (
    VariancePart,
    equivalent_freedom,
    half_width,
    satterthwaite,
    seeds_part,
    subjects_part,
    two_sided_p,
    unseen_part,
    unseen_share,
)

SUBJECTS = VariancePart(variance=4.0, freedom=19.0)
SEEDS = VariancePart(variance=1.0, freedom=2.0)


def test_one_part_is_the_t_interval_and_the_t_test() -> None:
    assert half_width([SUBJECTS]) == pytest.approx(2.0 * scipy.stats.t.ppf(0.975, 19))
    assert two_sided_p([SUBJECTS], -3.0) == pytest.approx(2 * scipy.stats.t.sf(1.5, 19))
    assert equivalent_freedom([SUBJECTS]) == 19.0


def test_two_parts_add_their_squared_half_widths() -> None:
    """By hand: t(19) = 2.0930, t(2) = 4.3027; sqrt(4 * 2.0930^2 + 4.3027^2) = 6.0030."""
    assert half_width([SUBJECTS, SEEDS]) == pytest.approx(6.0030, abs=1e-4)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_the_p_value_is_the_level_at_which_the_interval_ends_at_the_hypothesis(confidence: float) -> None:
    parts = [SUBJECTS, SEEDS]
    assert two_sided_p(parts, half_width(parts, confidence)) == pytest.approx(1 - confidence, rel=1e-4)


@pytest.mark.parametrize("distance", [1e-9, 0.3, 5.0, 80.0, 1e6])
def test_a_p_value_lies_between_those_of_its_parts(distance: float) -> None:
    total = math.sqrt(5.0)
    low, high = (2 * scipy.stats.t.sf(distance / total, freedom) for freedom in (19, 2))
    assert low * (1 - 1e-4) <= two_sided_p([SUBJECTS, SEEDS], distance) <= min(1.0, high * (1 + 1e-4))


def test_the_equivalent_freedom_gives_the_same_interval() -> None:
    freedom = equivalent_freedom([SUBJECTS, SEEDS])
    assert 2.0 < freedom < 19.0
    assert math.sqrt(5.0) * scipy.stats.t.ppf(0.975, freedom) == pytest.approx(half_width([SUBJECTS, SEEDS]))


def test_a_part_without_variance_changes_nothing() -> None:
    still = VariancePart(variance=0.0, freedom=2.0)
    assert half_width([SUBJECTS, still]) == half_width([SUBJECTS])
    assert equivalent_freedom([SUBJECTS, still]) == 19.0
    assert two_sided_p([SUBJECTS, still], 3.0) == two_sided_p([SUBJECTS], 3.0)
    assert (half_width([still]), equivalent_freedom([still]), two_sided_p([still], 0.0)) == (0.0, 2.0, 1.0)
    with pytest.raises(ValueError, match="variance above zero"):
        two_sided_p([still], 1.0)


@pytest.mark.parametrize("ratio", [0.0, 0.1, 1.0, 10.0, 1000.0])
def test_it_covers_whatever_the_ratio_of_the_parts(ratio: float) -> None:
    """20,000 normal estimates with chi-square variances of 5 and 2 degrees of freedom."""
    random = np.random.default_rng(3)
    size, quantiles = 20_000, scipy.stats.t.ppf(0.975, [5, 2])
    error = random.normal(0.0, math.sqrt(1.0 + ratio), size)
    squared = quantiles[0] ** 2 * random.chisquare(5, size) / 5
    squared += quantiles[1] ** 2 * ratio * random.chisquare(2, size) / 2
    assert (error**2 <= squared).mean() >= 0.946


def test_subjects_and_seeds_by_hand() -> None:
    assert subjects_part(np.array([0.1, -0.1, 0.0])) == VariancePart(
        variance=pytest.approx(0.03), freedom=2.0
    )
    assert seeds_part(np.array([0.5])) is None
    assert seeds_part(np.array([0.2, 0.4, 0.6])) == VariancePart(
        variance=pytest.approx(0.04 / 3), freedom=2.0
    )


def test_freedom_is_that_of_the_subjects_that_tell_something() -> None:
    assert satterthwaite(np.array([1.0, -1.0] + [0.0] * 50)) == 4.0
    assert satterthwaite(np.zeros(7)) == 6.0
    assert satterthwaite(np.ones(3)) == 2.0


def test_what_may_well_be_unseen() -> None:
    assert unseen_share(118) == pytest.approx(1 - 0.025 ** (1 / 118))
    assert unseen_share(1) == pytest.approx(0.975)
    assert half_width([unseen_part(118, 0.5)]) == pytest.approx(0.5 * unseen_share(118))
    assert half_width([unseen_part(118, 0.5, 0.1)]) == pytest.approx(0.05 * unseen_share(118))
    assert unseen_part(6, 0.0).variance == 0.0
