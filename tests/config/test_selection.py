from __future__ import annotations

import pytest

from platform.config.selection import INNER_PARTS, Scope, default_rounds, scopes, steps_a_trial


def test_inner_compares_one_part_of_every_fold_in_a_seeded_order() -> None:
    (scope,) = scopes("inner", 10, 0)
    assert sorted(scope.steps) == [(fold, fold % INNER_PARTS) for fold in range(10)]
    assert scopes("inner", 10, 0) == (scope,) != scopes("inner", 10, 1)
    assert scope.steps != tuple(sorted(scope.steps))
    assert (scope.suffix, scope.outer_folds) == ("", tuple(range(10)))


def test_nested_has_a_study_for_each_fold_over_all_its_parts() -> None:
    assert scopes("nested", 2, 0) == (
        Scope(suffix="-fold-0", steps=((0, 0), (0, 1), (0, 2), (0, 3), (0, 4)), outer_folds=(0,)),
        Scope(suffix="-fold-1", steps=((1, 0), (1, 1), (1, 2), (1, 3), (1, 4)), outer_folds=(1,)),
    )


def test_the_rule_test_compares_the_tests_themselves() -> None:
    (scope,) = scopes("test", 3, 0)
    assert sorted(scope.steps) == [(0, None), (1, None), (2, None)]


@pytest.mark.parametrize("rule", ["inner", "nested", "test"])
def test_a_trial_has_as_many_steps_as_its_rule_says(rule: str) -> None:
    assert {len(scope.steps) for scope in scopes(rule, 4, 0)} == {steps_a_trial(rule, 4)}


@pytest.mark.parametrize(
    ("steps", "rounds"), [(10, (4, 3, 3)), (5, (2, 2, 1)), (2, (1, 1)), (1, (1,)), (9, (3, 3, 3))]
)
def test_rounds_add_up_and_the_first_is_the_largest(steps: int, rounds: tuple[int, ...]) -> None:
    assert default_rounds(steps) == rounds
