"""Every interval and test that the platform shows names its source and its assumptions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from platform.evaluation.accuracy_interval import accuracy_interval, seed_accuracy_interval
from platform.evaluation.detectable import smallest_detectable
from platform.evaluation.paired_difference import paired_difference
from platform.evaluation.paired_tests import holm, sign_flip_p
from platform.evaluation.probability_better import probability_better
from platform.evaluation.run_variance import seed_variance
from platform.evaluation.subject_interval import interval_of_influences, subject_interval
from platform.evaluation.variance_parts import half_width


@pytest.mark.parametrize(
    "method",
    [
        accuracy_interval,
        seed_accuracy_interval,
        paired_difference,
        smallest_detectable,
        probability_better,
        subject_interval,
        interval_of_influences,
        half_width,
        holm,
        sign_flip_p,
        seed_variance,
    ],
)
def test_a_statistic_names_its_source_and_its_assumptions(method: Callable[..., object]) -> None:
    assert "Source:" in (method.__doc__ or "")
    assert "Assumes" in (method.__doc__ or "")
