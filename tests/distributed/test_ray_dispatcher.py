"""The dispatcher's window before Ray."""

from __future__ import annotations

import pytest

from platform.config.configuration import Plan
from platform.distributed.ray_dispatcher import window_limit


@pytest.mark.parametrize(
    ("slots", "reach", "train_workers", "limit"),
    [
        (4, 4, 0, 8),
        (4, 20, 0, 20),  # what waits with Ray is what the autoscaler grows for
        (0, 8, 0, 8),
        (0, 0, 0, 0),
        (4, 4, 2, 4),  # each that waits costs a process
        (4, 20, 2, 9),
        (0, 8, 1, 1),
    ],
)
def test_the_window_is_twice_the_slots_or_what_the_autoscaler_may_reach(
    slots: int, reach: int, train_workers: int, limit: int
) -> None:
    assert window_limit(slots, reach, Plan(train_workers=train_workers)) == limit
