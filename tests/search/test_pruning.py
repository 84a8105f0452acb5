from __future__ import annotations

import pytest

from platform.config.configuration import Plan
from platform.search.inner_scores import InnerScores
from platform.search.pruning import FEWEST_SUBJECTS, EarlierTrials, why_unpruned


def scores(*right: int, subjects: int = FEWEST_SUBJECTS) -> InnerScores:
    """A step for each number: every subject has that many of ten images right, a few one more."""
    return InnerScores(
        steps={
            step: {f"S{n}": (min(10, count + n % 2), 10) for n in range(subjects)}
            for step, count in enumerate(right)
        }
    )


def earlier(*trials: InnerScores) -> EarlierTrials:
    made = EarlierTrials()
    for number, one in enumerate(trials):
        made.add(number, one)
    return made


def test_a_trial_that_is_worse_for_every_subject_is_found_out() -> None:
    assert earlier(scores(8, 8, 8)).are_better([0], scores(4, 4), 2)


@pytest.mark.parametrize("right", [(8, 8), (9, 9)])
def test_an_equal_or_better_trial_is_not(right: tuple[int, ...]) -> None:
    assert not earlier(scores(8, 8, 8)).are_better([0], scores(*right), 2)


def test_too_few_subjects_stop_nothing() -> None:
    few = FEWEST_SUBJECTS - 1
    assert not earlier(scores(8, subjects=few)).are_better([0], scores(1, subjects=few), 1)


def test_the_best_is_that_over_the_same_steps_among_the_trials_named() -> None:
    late, early = scores(2, 2, 9), scores(6, 6, 1)
    made = earlier(late, early)
    running = scores(4, 4)
    assert made.are_better([0, 1], running, 2)
    assert not made.are_better([0], running, 2)
    assert not made.are_better([], running, 2)


def test_a_trial_once_taken_in_is_known() -> None:
    made = earlier(scores(1))
    assert 0 in made
    assert 1 not in made


def test_it_is_said_why_nothing_is_pruned() -> None:
    assert why_unpruned(Plan(), 10) == ""
    assert "a single fold run" in why_unpruned(Plan(), 1)
    assert "several objectives" in why_unpruned(Plan(objectives=("accuracy", "latency")), 10)
    assert "--pruning" in why_unpruned(Plan(pruning=False), 10)
