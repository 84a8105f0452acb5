"""Every interval and test that the platform shows names its source and its assumptions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from platform.evaluation.accuracy_interval import accuracy_interval
from platform.evaluation.paired_interval import difference_interval
from platform.evaluation.paired_tests import holm, sign_flip_test
from platform.evaluation.run_variance import seed_variance


@pytest.mark.parametrize(
    "method", [accuracy_interval, difference_interval, holm, sign_flip_test, seed_variance]
)
def test_a_statistic_names_its_source_and_its_assumptions(method: Callable[..., object]) -> None:
    assert "Source:" in (method.__doc__ or "")
    assert "Assumes" in (method.__doc__ or "")
