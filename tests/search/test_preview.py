"""What a plan takes for its search's configurations: those of the space as it is searched, and valid ones."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import search_spaces
from platform.config.configuration import Plan, configuration_of, option_names, replace
from platform.config.presets import preset
from platform.search.preview import DRAWS, proposals_ahead, trials_to_run

SETTINGS = {name: value for name, value in preset("quick").items() if name in option_names("fmpn")}
BASE = replace(configuration_of(**SETTINGS), backbone="resnet18")
CHOICES_ONLY = ("lambda_mask=1", "classifier_learning_rate=1e-3", "generator_learning_rate=1e-4")


def test_the_first_ones_then_random_ones_always_the_same() -> None:
    plan = Plan(space="fmpn")
    found = proposals_ahead(plan, BASE, 6)
    assert [one.lambda_mask for one in found[:2]] == [10.0, 0.1]
    assert found[0].backbone == "resnet18"
    assert len(found) == 2 + DRAWS
    assert len({one.backbone for one in found}) == 8
    assert found == proposals_ahead(plan, BASE, 6)


def test_fixed_parameters_are_fixed_in_all() -> None:
    found = proposals_ahead(Plan(space="fmpn", fixed=("backbone=resnet152", "lambda_mask=3")), BASE, 6)
    assert {(one.backbone, one.lambda_mask) for one in found} == {("resnet152", 3.0)}


@pytest.mark.parametrize(("trials", "expected"), [(2, 2), (50, 3)])
def test_a_grid_has_its_own_configurations_and_no_more(trials: int, expected: int) -> None:
    plan = Plan(space="quick", sampler="grid", fixed=CHOICES_ONLY, trials=trials)
    assert len(proposals_ahead(plan, BASE, 6)) == 3
    assert trials_to_run(plan, BASE) == expected
    assert trials_to_run(Plan(space="quick", trials=trials), BASE) == trials


@pytest.mark.parametrize(("most", "all_invalid"), [(2.0, False), (0.0, True)])
def test_invalid_ones_are_left_for_the_search_to_record(
    monkeypatch: pytest.MonkeyPatch, most: float, all_invalid: bool
) -> None:
    def suggest(trial: Any) -> dict[str, Any]:
        return {"label_smoothing": trial.suggest_float("smoothing", -most if most else 5.0, 9.0)}

    space = SimpleNamespace(suggest=suggest, first=lambda base: [])
    monkeypatch.setattr(search_spaces, "load_space", lambda name: space)
    found = proposals_ahead(Plan(space="own"), BASE, 6)
    assert (found == [BASE]) == all_invalid
    assert all(0 <= one.label_smoothing < 1 for one in found)
    assert len(found) < DRAWS


def test_images_too_small_for_a_net_are_left_out_too() -> None:
    small = replace(BASE, enlarge_below_pixels=0)
    nets = {}
    for net in ("inception_v3", "vgg16"):
        found = proposals_ahead(Plan(space="fmpn", fixed=(f"backbone={net}",)), small, 6)
        nets[net] = {one.backbone for one in found}
    assert nets == {"inception_v3": {"resnet18"}, "vgg16": {"vgg16"}}, "48 px are too few for Inception"
