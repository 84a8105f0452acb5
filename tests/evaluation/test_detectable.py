from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from platform.evaluation.detectable import detectable_difference, smallest_detectable
from platform.evaluation.paired_difference import SeedCounts, paired_difference


@pytest.mark.parametrize(
    ("standard_error", "freedom"),
    [(0.05, 5.0), (0.02, 30.0), (1.0, 2.4), (0.001, 117.0), (0.03, 1.0), (0.03, 1.4)],
)
def test_a_t_test_finds_it_with_the_power_asked_for(standard_error: float, freedom: float) -> None:
    smallest = smallest_detectable(standard_error, freedom)
    limit = scipy.stats.t.ppf(0.975, freedom)
    beyond = scipy.stats.nct(freedom, smallest / standard_error)
    assert beyond.sf(limit) + beyond.cdf(-limit) == pytest.approx(0.8, abs=1e-6)


def test_published_sample_sizes() -> None:
    """Cohen: a paired t test of 34 pairs finds an effect of half a standard deviation in 80 % of cases."""
    assert smallest_detectable(1 / np.sqrt(34), 33.0) == pytest.approx(0.5, abs=0.005)


def test_many_freedoms_are_the_normal_rule() -> None:
    assert smallest_detectable(1.0, 1e6) == pytest.approx(1.959964 + 0.841621, abs=1e-4)


def test_it_grows_with_error_and_power_and_with_fewer_freedoms() -> None:
    assert smallest_detectable(0.02, 10.0) == pytest.approx(2 * smallest_detectable(0.01, 10.0))
    assert smallest_detectable(0.02, 3.0) > smallest_detectable(0.02, 10.0)
    assert smallest_detectable(0.02, 10.0, power=0.9) > smallest_detectable(0.02, 10.0)


def comparison(gained: list[int], images: int) -> SeedCounts:
    """Subjects of whom the first method has `gained` images more, from a half."""
    counts = np.array(gained)
    return SeedCounts(
        first=(images // 2 + counts)[None],
        second=np.full((1, len(counts)), images // 2),
        images=np.full(len(counts), images),
        fold=np.zeros(len(counts), dtype=np.int64),
    )


def test_of_a_comparison() -> None:
    found = paired_difference(comparison([1, 2, 0, -1, 3, 1, 0, 2], 20))
    assert found.standard_error is not None
    assert found.freedom is not None
    assert detectable_difference(found) == smallest_detectable(found.standard_error, found.freedom)


def test_nothing_is_detectable_with_too_few_subjects_or_too_much_noise() -> None:
    assert detectable_difference(paired_difference(comparison([1], 4))) is None
    assert detectable_difference(paired_difference(comparison([1, 2, 0, 1, 1], 4))) is None
    opposite = np.array([[4, 0] * 3])
    counts = SeedCounts(
        first=opposite, second=4 - opposite, images=np.full(6, 4), fold=np.zeros(6, dtype=int)
    )
    assert detectable_difference(paired_difference(counts)) is None


@pytest.mark.parametrize("arguments", [(0.0, 3.0), (-1.0, 3.0), (1.0, 0.5), (float("nan"), 3.0)])
def test_impossible_precision_is_refused(arguments: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="standard_error > 0, freedom >= 1"):
        smallest_detectable(*arguments)
    with pytest.raises(ValueError, match="level < power"):
        smallest_detectable(1.0, 3.0, power=0.04)
