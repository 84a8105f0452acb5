from __future__ import annotations

import pytest

from platform.search.inner_interval import inner_interval
from platform.search.inner_scores import InnerScores


def test_subjects_that_are_all_alike_have_no_interval_and_not_one_without_width() -> None:
    assert inner_interval(InnerScores(steps={0: {"A": (1, 2), "B": (1, 2)}, 1: {"A": (2, 4)}})) is None


def test_it_holds_the_mean_and_is_the_same_every_time() -> None:
    counts = {f"S{n}": (n % 7, 6 if n % 7 < 6 else 7) for n in range(20)}
    scores = InnerScores(steps={0: counts, 1: counts})
    interval = inner_interval(scores)
    assert interval is not None
    assert 0 <= interval.low < scores.mean_of_steps < interval.high <= 1
    assert interval == inner_interval(scores)


def test_a_subject_in_several_folds_is_one_subject() -> None:
    """Ten folds with the same four subjects are no surer than one."""
    counts = {"A": (6, 6), "B": (0, 6), "C": (6, 6), "D": (3, 6)}
    one, ten = (InnerScores(steps=dict.fromkeys(range(n), counts)) for n in (1, 10))
    assert inner_interval(one) == pytest.approx(inner_interval(ten))


@pytest.mark.parametrize("steps", [{}, {0: {"A": (1, 2)}}])
def test_one_subject_has_no_interval(steps: dict[int, dict[str, tuple[int, int]]]) -> None:
    assert inner_interval(InnerScores(steps=steps)) is None
