from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from platform.evaluation.probability_better import probability_better

DIFFERENCES = np.array([0.02, 0.05, -0.01, 0.03, 0.04, 0.00, 0.06, 0.01, 0.02, 0.03])


def test_it_is_the_posterior_of_the_published_formula() -> None:
    """Ten equal folds: scale^2 = (1/10 + 1/9) variance, Student's with nine degrees of freedom."""
    found = probability_better(DIFFERENCES, np.full(10, 30), np.full(10, 270))
    assert found is not None
    scale = np.sqrt(DIFFERENCES.var(ddof=1) * (1 / 10 + 1 / 9))
    posterior = scipy.stats.t(9, loc=DIFFERENCES.mean(), scale=scale)
    assert found.better == pytest.approx(posterior.sf(0.01))
    assert found.worse == pytest.approx(posterior.cdf(-0.01))
    assert found.better + found.equivalent + found.worse == pytest.approx(1.0)


def test_repeats_add_differences_but_keep_the_correlation() -> None:
    values = np.stack([DIFFERENCES, DIFFERENCES[::-1] + 0.005])
    found = probability_better(values, np.full(10, 30), np.full(10, 270), equivalent=0.0)
    assert found is not None
    scale = np.sqrt(values.var(ddof=1) * (1 / 20 + 1 / 9))
    assert found.better == pytest.approx(scipy.stats.t(19, loc=values.mean(), scale=scale).sf(0.0))
    assert found.equivalent == pytest.approx(0.0)


def test_real_sizes_of_folds_set_the_correlation() -> None:
    """Half the images in training: the correlation is larger than with nine tenths, the posterior wider."""
    narrow = probability_better(DIFFERENCES, np.full(10, 30), np.full(10, 270))
    wide = probability_better(DIFFERENCES, np.arange(10, 20), np.arange(10, 20))
    assert narrow is not None
    assert wide is not None
    assert wide.better < narrow.better


def test_swapped_methods_swap_better_and_worse_and_order_does_not_matter() -> None:
    sizes = np.full(10, 5), np.full(10, 45)
    found, swapped = probability_better(DIFFERENCES, *sizes), probability_better(-DIFFERENCES[::-1], *sizes)
    assert found is not None
    assert swapped is not None
    assert (swapped.better, swapped.worse) == pytest.approx((found.worse, found.better))


@pytest.mark.parametrize(("value", "expected"), [(0.03, (1, 0, 0)), (0.0, (0, 1, 0)), (-0.02, (0, 0, 1))])
def test_without_variance_it_is_certain(value: float, expected: tuple[int, int, int]) -> None:
    found = probability_better(np.full(4, value), np.full(4, 1), np.full(4, 3))
    assert found is not None
    assert (found.better, found.equivalent, found.worse) == pytest.approx(expected)


def test_one_fold_gives_no_posterior() -> None:
    assert probability_better(np.array([0.1]), np.array([5]), np.array([5])) is None
    assert probability_better(np.zeros(0), np.zeros(0), np.zeros(0)) is None


@pytest.mark.parametrize(
    ("values", "tested", "trained", "message"),
    [
        ([0.1, np.nan], [1, 1], [1, 1], "finite"),
        ([0.1, 0.2], [0, 1], [1, 1], "at least one image"),
        ([0.1, 0.2], [1, 1, 1], [1, 1, 1], "broadcast"),
    ],
)
def test_impossible_folds_are_refused(
    values: list[float], tested: list[int], trained: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        probability_better(np.array(values), np.array(tested), np.array(trained))
    with pytest.raises(ValueError, match="region of equivalence"):
        probability_better(np.array([0.1, 0.2]), np.ones(2), np.ones(2), equivalent=-0.01)
