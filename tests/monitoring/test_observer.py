"""What a search requires of its observer."""

from __future__ import annotations

import inspect
from typing import get_args

import pytest

from platform.monitoring.observer import End, SearchObserver
from platform.monitoring.progress import ENDS, Progress
from platform.search.inner_scores import InnerScores

NOTIFICATIONS = ("trial_proposed", "round_finished", "trial_ended")


def test_the_plain_observer_accepts_every_end_of_a_trial_and_keeps_nothing() -> None:
    observer = SearchObserver()
    observer.trial_proposed("", 0, [])
    observer.round_finished("", 0, 4, 0.5)
    for end in get_args(End):
        observer.trial_ended("", 0, end, InnerScores(steps={}), earlier=True)
    assert vars(observer) == {}


@pytest.mark.parametrize("name", NOTIFICATIONS)
def test_the_display_takes_the_same_arguments(name: str) -> None:
    expected = inspect.signature(getattr(SearchObserver, name))
    assert inspect.signature(getattr(Progress, name)).parameters.keys() == expected.parameters.keys()


def test_the_display_knows_every_end_of_a_trial() -> None:
    assert set(ENDS) == set(get_args(End))
