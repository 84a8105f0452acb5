from __future__ import annotations

import pytest

from platform.config.configuration import Plan
from platform.config.objectives import OBJECTIVES, check_objectives, directions, pareto_front
from platform.errors import UserError

TWO = ("accuracy", "latency")


@pytest.mark.parametrize(
    ("values", "front"),
    [
        ({0: [0.9, 5.0]}, [0]),
        ({0: [0.9, 5.0], 1: [0.8, 9.0]}, [0]),  # worse in both
        ({0: [0.8, 5.0], 1: [0.9, 9.0]}, [1, 0]),  # each better in one: the most accurate first
        ({0: [0.9, 5.0], 1: [0.9, 4.0]}, [1]),  # as accurate, but faster
        ({0: [0.9, 5.0], 1: [0.9, 5.0]}, [0, 1]),  # equal: neither beats the other
        ({0: [0.7, 1.0], 1: [0.8, 2.0], 2: [0.75, 3.0], 3: [0.9, 9.0]}, [3, 1, 0]),
        ({}, []),
    ],
)
def test_the_front_holds_what_nothing_beats(values: dict[int, list[float]], front: list[int]) -> None:
    assert pareto_front(values, TWO) == front


def test_with_one_objective_the_front_is_the_best_and_what_equals_it() -> None:
    assert pareto_front({0: [0.5], 1: [0.9], 2: [0.9], 3: [0.8]}, ("accuracy",)) == [1, 2]


def test_directions_follow_the_names() -> None:
    assert directions(OBJECTIVES) == ("maximize", "maximize", "minimize", "minimize")


@pytest.mark.parametrize(
    ("names", "error"),
    [
        ((), "first objective must be accuracy.*but got none"),
        (("latency", "accuracy"), "first objective must be accuracy"),
        (("accuracy", "latency", "latency"), "may be listed once"),
        (("accuracy", "latenzy"), r"unknown objective 'latenzy'; did you mean 'latency'\?"),
    ],
)
def test_objectives_that_cannot_be_are_refused(names: tuple[str, ...], error: str) -> None:
    with pytest.raises(UserError, match=error):
        check_objectives(names)
    with pytest.raises(UserError, match=error):
        Plan(objectives=names)
