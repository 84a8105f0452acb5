from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from platform.evaluation.subject_groups import GroupScores, group_scores, permutation_test
from tests.evaluation.drawn_items import drawn_items, taken

SEX = {f"S{number:03d}": "female" if number % 2 else "male" for number in range(8)}
ANCESTRY = {"S000": "WH", "S001": "WH", "S002": "WH", "S003": "BL", "S004": "BL", "S005": "AE"}
GROUPS = {"sex": SEX, "ancestry": ANCESTRY}


@pytest.fixture(scope="module")
def found() -> GroupScores:
    made = group_scores(drawn_items(0), GROUPS)
    assert made is not None
    return made


def test_each_group_has_the_accuracy_of_its_subjects(found: GroupScores) -> None:
    items = drawn_items(0)
    names = [(one.grouping, one.group) for one in found.accuracies]
    assert names == [
        ("ancestry", "AE"),
        ("ancestry", "BL"),
        ("ancestry", "WH"),
        ("sex", "female"),
        ("sex", "male"),
    ]
    female = found.accuracies[3]
    assert (female.subject_count, female.item_count) == (4, 80)
    assert female.accuracy == pytest.approx(float(items.correct[items.subject % 2 == 1].mean()))
    assert female.interval is not None
    assert female.interval.low < female.accuracy < female.interval.high


def test_subjects_without_a_known_group_are_counted(found: GroupScores) -> None:
    assert found.unknown_subjects == {"ancestry": 2}


def test_all_pairs_within_a_grouping_are_compared_and_corrected_together(found: GroupScores) -> None:
    pairs = [(one.grouping, one.first, one.second) for one in found.differences]
    assert pairs == [
        ("ancestry", "AE", "BL"), ("ancestry", "AE", "WH"), ("ancestry", "BL", "WH"),
        ("sex", "female", "male"),
    ]  # fmt: skip
    alone = [one for one in found.differences if one.first == "AE"]  # one subject
    assert {(one.p_value, one.holm_p_value, one.interval, one.smallest_p) for one in alone} == {(None,) * 4}
    tested = [one for one in found.differences if one.p_value is not None]
    smallest = min(tested, key=lambda one: one.p_value or 0.0)
    assert smallest.holm_p_value == min(1.0, 2 * (smallest.p_value or 0.0))
    accuracy = {(one.grouping, one.group): one.accuracy for one in found.accuracies}
    for one in found.differences:
        expected = accuracy[one.grouping, one.first] - accuracy[one.grouping, one.second]
        assert one.difference == pytest.approx(expected)


def test_without_known_groups_there_is_nothing() -> None:
    assert group_scores(drawn_items(0), {}) is None
    assert group_scores(drawn_items(0), {"sex": {"someone": "female"}}) is None


def test_p_counts_the_divisions_that_are_at_least_as_extreme() -> None:
    right, counts = np.array([9.0, 8.0, 7.0, 2.0, 1.0, 0.0]), np.full(6, 10.0)
    first = np.array([True, True, True, False, False, False])

    def size(chosen: tuple[int, ...]) -> float:
        inside = np.isin(np.arange(6), chosen)
        a, b = right[inside] / 10, right[~inside] / 10
        return abs(a.mean() - b.mean()) / np.sqrt(a.var(ddof=1) / 3 + b.var(ddof=1) / 3)

    sizes = [size(chosen) for chosen in combinations(range(6), 3)]
    p_value, smallest = permutation_test(right, counts, first)
    assert p_value == pytest.approx(np.mean([one >= size((0, 1, 2)) - 1e-9 for one in sizes]))
    assert p_value == smallest == pytest.approx(2 / 20)


def test_groups_without_any_variation_have_the_smallest_p_and_equal_ones_have_1() -> None:
    first = np.array([True, True, True, False, False, False])
    differing = permutation_test(np.array([5.0, 5, 5, 0, 0, 0]), np.full(6, 5.0), first)
    assert differing == (pytest.approx(0.1), pytest.approx(0.1))
    assert permutation_test(np.full(6, 3.0), np.full(6, 5.0), first)[0] == 1.0


def test_many_subjects_are_tested_by_drawn_permutations_and_twice_alike() -> None:
    random = np.random.default_rng(0)
    counts = np.full(60, 12.0)
    right = random.binomial(12, 0.6, 60).astype(np.float64)
    first = np.arange(60) < 30
    p_value, smallest = permutation_test(right, counts, first)
    assert smallest == 1e-4
    assert 1e-4 <= p_value <= 1
    assert permutation_test(right, counts, first) == (p_value, smallest)
    better = np.where(first, 11.0, right)
    assert permutation_test(better, counts, first)[0] == smallest


def test_false_alarms_are_as_rare_as_they_say() -> None:
    """Groups of 4 and 8 subjects of one population."""
    random = np.random.default_rng(1)
    first = np.arange(12) < 4
    alarms = 0
    for _ in range(200):
        right = random.binomial(10, random.beta(4, 2, 12)).astype(np.float64)
        alarms += permutation_test(right, np.full(12, 10.0), first)[0] <= 0.05
    assert alarms <= 18  # 0.05 and three standard errors


def test_subjects_who_do_not_vary_give_no_interval() -> None:
    items = drawn_items(0)
    certain = taken(items, items.correct)
    found = group_scores(certain, {"sex": SEX})
    assert found is not None
    (one,) = found.differences
    assert (one.difference, one.p_value, one.interval) == (0, 1, None)
