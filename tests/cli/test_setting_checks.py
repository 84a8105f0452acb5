"""Settings that contradict each other."""

from __future__ import annotations

import pytest

from platform.cli.setting_checks import check_gpus
from platform.config.configuration import Plan
from platform.errors import UserError


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan(gpus_per_run=0.5, train_workers=2), "0.5 with 2 Train workers; pass --gpus-per-run 1, or"),
        (Plan(gpus_per_run=1.5), "a whole number of them, but got 1.5; pass --gpus-per-run 1 or 2."),
        (Plan(gpus_per_run=2.5, train_workers=2), "pass --gpus-per-run 2 or 3."),
    ],
)
def test_parts_of_gpus_that_no_worker_can_hold_are_refused(plan: Plan, said: str) -> None:
    with pytest.raises(UserError) as error:
        check_gpus(plan)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(),
        Plan(train_workers=4),
        Plan(gpus_per_run=0.1, train_workers=1),
        Plan(gpus_per_run=2, train_workers=2),
        Plan(gpus_per_run=0.0769),
    ],
)
def test_whole_gpus_and_shares_of_one_are_not(plan: Plan) -> None:
    check_gpus(plan)
