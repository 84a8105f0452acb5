from __future__ import annotations

from typing import Any

import pytest

from platform.search.space_paths import paths, space_settings
from tests.search.test_samplers import choices, mixed


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


def test_a_spaces_settings_show_its_ranges_and_notice_what_it_works_out() -> None:
    def derived(trial: Any) -> dict[str, Any]:
        return {**mixed(trial), "epochs": 3}

    shown = space_settings(mixed)
    assert shown["parameter rate"] == "1e-05 to 0.1 (log)"
    assert shown["parameter optimizer"] == "adam or sgd"
    assert shown["parameter momentum"] == "0 to 0.99"
    changed = space_settings(derived)
    assert {name for name in shown if shown[name] != changed[name]} == {"space sets"}
