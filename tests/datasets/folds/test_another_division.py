from __future__ import annotations

from collections import Counter

import pytest

from datasets.folds.another_division import STRATIFIED, another_division, stratified_folds
from datasets.folds.rules import ClassCounts, FoldPlan, check_training_classes, paper_folds
from platform.errors import UserError


def people(count: int, *, rare: int = 3) -> dict[str, Counter[str]]:
    """Subjects with six images each of two classes; the first `rare` ones have a third class as well."""
    return {
        f"S{number:02d}": Counter({"anger": 6, "fear": 6} | ({"contempt": 6} if number < rare else {}))
        for number in range(count)
    }


def drawn(classes: ClassCounts, count: int, repeats: int, seed: int = 0) -> list[FoldPlan]:
    first = paper_folds(classes, count)
    return [another_division(first, classes, repeat=one, seed=seed) for one in range(1, repeats + 1)]


def parts(plan: FoldPlan) -> frozenset[tuple[str, ...]]:
    return frozenset(fold.test_subjects for fold in plan.folds)


@pytest.mark.parametrize(("subjects", "folds"), [(118, 10), (31, 10), (20, 3), (6, 3), (4, 2)])
def test_every_division_tests_each_subject_once_and_trains_on_all_others(subjects: int, folds: int) -> None:
    classes = people(subjects, rare=2)
    for plan in drawn(classes, folds, 2):
        assert plan.rule == STRATIFIED
        assert len(plan.folds) == folds
        assert sorted(one for fold in plan.folds for one in fold.test_subjects) == sorted(classes)
        for fold in plan.folds:
            assert sorted((*fold.train_subjects, *fold.test_subjects)) == sorted(classes)
        check_training_classes(plan, classes)


@pytest.mark.parametrize(("subjects", "folds"), [(31, 10), (6, 3), (4, 2)])
def test_divisions_differ_from_the_rules_own_and_from_each_other(subjects: int, folds: int) -> None:
    classes = people(subjects, rare=2)
    plans = [paper_folds(classes, folds), *drawn(classes, folds, 2)]
    assert len({parts(plan) for plan in plans}) == 3


def test_a_repeat_is_the_same_however_many_are_wanted_and_another_with_another_seed() -> None:
    classes = people(20)
    assert drawn(classes, 5, 2) == drawn(classes, 5, 4)[:2]
    assert drawn(dict(reversed(classes.items())), 5, 2) == drawn(classes, 5, 2)
    assert drawn(classes, 5, 2, seed=9) != drawn(classes, 5, 2)


def test_classes_are_spread_evenly() -> None:
    (plan,) = drawn(people(20, rare=10), 5, 1)
    for fold in plan.folds:
        counts = sum((people(20, rare=10)[one] for one in fold.test_subjects), Counter[str]())
        assert counts == {"anger": 24, "fear": 24, "contempt": 12}


def test_folds_of_one_subject_each_have_no_other_division() -> None:
    with pytest.raises(UserError, match=r"6 subjects in 6 folds have one division only; pass --repeats 1,"):
        drawn(people(6), 6, 1)


def test_few_subjects_have_few_divisions() -> None:
    with pytest.raises(UserError, match=r"4 subjects in 2 folds have only \d.*pass --repeats \d or fewer"):
        drawn(people(4, rare=0), 2, 20)


@pytest.mark.parametrize("folds", [1, 7])
def test_the_number_of_folds_must_fit(folds: int) -> None:
    with pytest.raises(UserError, match="2 <= folds <= subjects"):
        stratified_folds(people(6), folds, seed=0)
