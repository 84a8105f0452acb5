from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from platform.results.space_paths import at_share, paths, space_settings
from tests.results.test_samplers import choices, mixed


def test_every_combination_of_choices_is_walked_once() -> None:
    walked = [path.values for path in paths(choices)]
    assert len(walked) == 8
    assert len({str(values) for values in walked}) == 8


def test_numbers_stand_at_their_middle_and_branches_bring_their_parameters() -> None:
    adam, sgd = paths(mixed)
    assert adam.values == {"rate": pytest.approx(1e-3), "width": 33, "optimizer": "adam"}
    assert sgd.overrides["momentum"] == pytest.approx(0.495)
    assert sgd.distributions.keys() - adam.distributions.keys() == {"momentum"}


def test_a_parameter_that_is_asked_for_twice_keeps_its_value() -> None:
    def twice(trial: Any) -> dict[str, Any]:
        first = trial.suggest_categorical("net", ["a", "b"])
        return {"same": first == trial.suggest_categorical("net", ["a", "b"])}

    assert [path.overrides for path in paths(twice)] == [{"same": True}, {"same": True}]


@pytest.mark.parametrize(
    ("distribution", "ends"),
    [
        (FloatDistribution(1.0, 3.0), (1.0, 3.0)),
        (FloatDistribution(1e-5, 1e-1, log=True), (1e-5, 1e-1)),
        (FloatDistribution(0.0, 1.0, step=0.25), (0.0, 1.0)),
        (FloatDistribution(0.0, 0.3, step=0.1), (0.0, 0.3)),
        (IntDistribution(2, 64), (2, 64)),
        (IntDistribution(2, 64, log=True), (2, 64)),
        (IntDistribution(0, 100, step=25), (0, 100)),
        (CategoricalDistribution(["a", "b", "c"]), ("a", "c")),
    ],
)
def test_a_share_of_a_distribution_lies_in_it_and_reaches_both_ends(
    distribution: Any, ends: tuple[Any, Any]
) -> None:
    values = [at_share(distribution, share) for share in (0.0, 0.2, 0.5, 0.8, np.nextafter(1.0, 0.0).item())]
    for value in values:
        assert distribution._contains(distribution.to_internal_repr(value))
    assert (values[0], values[-1]) == pytest.approx(ends) if ends[0] != "a" else ends


def test_equal_shares_of_choices_and_whole_numbers_are_equally_frequent() -> None:
    shares = (np.arange(1000) + 0.5) / 1000
    for distribution in (IntDistribution(1, 4), CategoricalDistribution([1, 2, 3, 4])):
        counts = np.unique([at_share(distribution, float(share)) for share in shares], return_counts=True)[1]
        assert counts.tolist() == [250] * 4


def test_a_spaces_settings_show_its_ranges_and_notice_what_it_works_out() -> None:
    def derived(trial: Any) -> dict[str, Any]:
        return {**mixed(trial), "epochs": 3}

    shown = space_settings(mixed)
    assert shown["parameter rate"] == "1e-05 to 0.1 (log)"
    assert shown["parameter optimizer"] == "adam or sgd"
    assert shown["parameter momentum"] == "0 to 0.99"
    changed = space_settings(derived)
    assert {name for name in shown if shown[name] != changed[name]} == {"space sets"}
