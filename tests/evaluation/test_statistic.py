from __future__ import annotations

import numpy as np
import pytest

from platform.evaluation.statistic import Statistic, mean_of, ratio, statistic_interval
from platform.evaluation.subject_interval import subject_interval


def test_a_ratio_and_what_it_is_without_each_subject() -> None:
    found = ratio(np.array([1.0, 2.0, 0.0]), np.array([2.0, 2.0, 0.0]))
    assert found is not None
    assert found.value == 0.75
    assert found.without.tolist() == [1.0, 0.5, 0.75]
    assert ratio(np.zeros(2), np.zeros(2)) is None


def test_the_mean_is_over_what_is_defined_without_a_subject() -> None:
    parts = [
        Statistic(value=0.5, without=np.array([0.4, np.nan])),
        None,
        Statistic(value=0.7, without=np.array([0.6, 0.8])),
    ]
    found = mean_of(parts)
    assert found is not None
    assert found.value == pytest.approx(0.6)
    assert found.without.tolist() == [0.5, 0.8]
    assert mean_of([None]) is None


def test_the_interval_is_the_jackknifes() -> None:
    right, counts = np.array([3.0, 5.0, 2.0, 8.0]), np.array([6.0, 6.0, 7.0, 9.0])
    found = ratio(right, counts)
    assert found is not None
    for share in (True, False):
        ours = statistic_interval(found, share=share)
        theirs = subject_interval(
            np.stack([right, counts], axis=1),
            lambda sums: sums[..., 0] / sums[..., 1],
            share=share,
            limits=(0.0, 1.0),
        )
        assert ours is not None
        assert theirs is not None
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_one_subject_or_one_that_is_needed_gives_no_interval() -> None:
    assert statistic_interval(Statistic(value=0.5, without=np.array([np.nan])), share=True) is None
    assert statistic_interval(Statistic(value=0.5, without=np.array([0.5, np.nan])), share=True) is None
