"""The simulated predictions are such that every measure is defined and covered by its interval at all."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.measure_coverage import SIGNALS, covered, drawn_items
from platform.evaluation.unit_metrics import UNIT_METRICS, measures


def test_the_numbers_of_few_data_sets() -> None:
    signal = SIGNALS["52 %"]
    population = measures(drawn_items(np.random.default_rng(0), 400, signal), "", details=False).values
    truth = {key: one.value for key, one in population.items() if one is not None}
    assert truth["balanced_accuracy"] == pytest.approx(0.52, abs=0.05)
    found = covered(signal, 20, 12, truth)
    for metric in UNIT_METRICS:
        share, width, error = found[metric.key]
        assert np.isnan(share) != metric.has_interval
        if metric.has_interval:
            assert share >= 0.6
            assert 0 < width < 1
        assert abs(error) < 0.3
