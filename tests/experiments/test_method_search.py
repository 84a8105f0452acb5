"""Searches of an experiment: the method's own and, on request, one of each baseline with the same rules."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan, configuration_of, option_names, to_dict
from platform.config.presets import preset, preset_names
from platform.config.selection import scopes
from platform.config.settings_source import SettingsSource
from platform.errors import UserError
from platform.experiments.capacity import needs
from platform.experiments.estimate import wanted_gflop
from platform.experiments.experiment import Experiment, final_rows
from platform.experiments.method_search import method_searches, search_of_study, tuned_baselines
from platform.experiments.rows import Chosen
from platform.experiments.study_definition import search_definition
from platform.search.definition import definition_of_space
from tests.experiments.test_experiment import experiment
from tests.tiny_faces import prepare_tiny, tiny_configuration

BASELINES = ("cnn", "cnn_no_mask_loss")


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    prepare_tiny(root, "synthetic_wild", subjects=6)
    return root


def planned(data_root: Path, runs: Path, **changes: Any) -> Experiment:
    """A search on two folds: three trials of the method, two of each baseline."""
    changes.setdefault("configuration", tiny_configuration(generator_learning_rate=1e-4))
    return experiment(
        data_root, runs, **{"preset": "smoke", "transfer_to": "none", "tune_baselines": 2, **changes}
    )


def test_baselines_have_no_search_unless_asked(data_root: Path, tmp_path: Path) -> None:
    (only,) = planned(data_root, tmp_path, tune_baselines=0).searches
    assert (only.method, only.plan.space, only.plan.trials) == ("fmpn", "fmpn", 3)
    assert "tune_baselines" not in to_dict(Plan())
    assert to_dict(Plan(tune_baselines=2))["tune_baselines"] == 2


def test_each_baseline_has_a_search_like_the_methods(data_root: Path, tmp_path: Path) -> None:
    made = planned(data_root, tmp_path)
    first, *baselines = made.searches
    assert [one.method for one in baselines] == list(BASELINES)
    assert [one.plan.space for one in baselines] == ["baseline_quick", "no_mask_loss_quick"]
    assert [scope.suffix for one in baselines for scope in one.scopes] == ["-cnn", "-cnn_no_mask_loss"]
    same = dataclasses.asdict(dataclasses.replace(first.plan, space="", trials=1))
    for one in baselines:
        assert one.plan.trials == 2
        assert one.steps == first.steps
        assert dataclasses.asdict(dataclasses.replace(one.plan, space="", trials=1)) == same
    assert search_of_study(made.searches, "-cnn") == (baselines[0], baselines[0].scopes[0])


def test_a_baseline_starts_from_what_is_given(data_root: Path, tmp_path: Path) -> None:
    given = tiny_configuration(method="cnn", classifier_learning_rate=2e-3)
    made = planned(
        data_root, tmp_path, configuration=given, space="baseline_quick", baselines=("cnn", *BASELINES)
    )
    (baseline,) = made.searches[1:]
    assert baseline.method == "cnn_no_mask_loss"
    assert baseline.base.classifier_learning_rate == 2e-3
    assert search_definition(made, baseline).first[0]["classifier_learning_rate"] == 2e-3


def test_under_nested_it_has_a_study_for_each_fold(data_root: Path, tmp_path: Path) -> None:
    made = planned(data_root, tmp_path, selection_rule="nested", rounds=(), baselines=("cnn",))
    assert [scope.suffix for scope in made.searches[1].scopes] == ["-cnn-fold-0", "-cnn-fold-1"]
    assert [scope.steps for scope in made.searches[1].scopes] == [one.steps for one in scopes("nested", 2, 0)]


def test_what_is_fixed_is_fixed_in_the_spaces_that_have_it() -> None:
    plan = Plan(space="fmpn", tune_baselines=2, fixed=("backbone=resnet18", "lambda_mask=3"), enqueued="[{}]")
    first, *baselines = method_searches(tiny_configuration(), plan, 2)
    assert first.plan == plan
    assert {one.plan.fixed for one in baselines} == {("backbone=resnet18",)}
    assert {one.plan.enqueued for one in baselines} == {""}


def test_the_method_itself_is_no_baseline() -> None:
    plan = Plan(baselines=("cnn", "fmpn", "cnn"), tune_baselines=1)
    assert tuned_baselines(tiny_configuration(), plan) == ("cnn",)


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("method", ["fmpn", "cnn"])
def test_a_baselines_space_suits_every_preset(name: str, method: str) -> None:
    values, fields = preset(name, method), option_names(method)
    base = configuration_of(method, **{key: value for key, value in values.items() if key in fields})
    own = {key: value for key, value in values.items() if key not in fields}
    plan = Plan(**own, preset=name, baselines=("fmpn", *BASELINES), tune_baselines=1)
    searches = method_searches(base, plan, 10)[1:]
    assert len(searches) == 2
    for search in searches:
        first = definition_of_space(search.plan.space, search.base).first[0]
        assert first["classifier_learning_rate"] == base.classifier_learning_rate


def test_the_methods_study_is_the_same_study_with_and_without(data_root: Path, tmp_path: Path) -> None:
    tuned, plain = (planned(data_root, tmp_path, tune_baselines=count) for count in (2, 0))
    assert search_definition(tuned).settings == search_definition(plain).settings
    of_cnn = search_definition(tuned, tuned.searches[1]).settings
    assert (of_cnn["base.method"], of_cnn["space"]) == ("cnn", "baseline_quick")


@pytest.mark.parametrize(("rule", "inner"), [("inner", (3 + 2 + 2) * 2), ("nested", (3 + 2 + 2) * 2 * 5)])
def test_every_step_of_every_trial_is_expected(
    data_root: Path, tmp_path: Path, rule: str, inner: int
) -> None:
    wanted = wanted_gflop(planned(data_root, tmp_path, selection_rule=rule, rounds=()), search=True)
    assert [len(wanted["inner"]), len(wanted["final"])] == [inner, 3 * 2]


def test_on_the_test_folds_a_searched_row_is_done_with_its_search(data_root: Path, tmp_path: Path) -> None:
    made = planned(data_root, tmp_path, selection_rule="test", transfer_to="synthetic_wild")
    assert len(wanted_gflop(made, search=True)["final"]) == (3 + 2 + 2) * 2 + 3


def test_a_search_needs_disk_for_the_baselines_trials_too(data_root: Path, tmp_path: Path) -> None:
    plain, tuned = (
        needs(planned(data_root, tmp_path, tune_baselines=count), search=True) for count in (0, 2)
    )
    assert tuned.results > plain.results
    assert tuned.configurations > plain.configurations


def whose(rows: list[Any]) -> list[tuple[Any, ...]]:
    described = [row.describe("inner") for row in rows]
    return [(row["settings_of"], row.get("search_trials"), row["selection_score"]) for row in described]


def test_every_row_says_whose_settings_it_ran_with(data_root: Path, tmp_path: Path) -> None:
    made, given = planned(data_root, tmp_path, transfer_to="synthetic_wild"), tiny_configuration()
    assert whose(final_rows(made, given)) == [("given", None, None)] * 6
    found = ("own search", 3, 0.75)
    winner = ("winner", None, None)
    assert whose(final_rows(made, given, 0.75, trials=3)) == [
        found, winner, winner, ("own search", 3, None), winner, winner,
    ]  # fmt: skip
    chosen = tiny_configuration(method="cnn", backbone="resnet50")
    source = SettingsSource(whose="own search", trials=2)
    tuned = {"cnn": Chosen(configurations=(chosen, chosen), source=source, score=0.5)}
    rows = final_rows(made, given, 0.75, trials=3, tuned=tuned)
    assert whose(rows)[:3] == [found, ("own search", 2, 0.5), winner]
    assert whose(rows)[3:] == [("own search", 3, None), ("own search", 2, None), winner]
    assert [row.configurations[0].backbone for row in rows] == ["resnet18", "resnet50", "resnet18"] * 2


def test_a_tuned_experiment_stays_tuned_and_another_may_become_so(data_root: Path, tmp_path: Path) -> None:
    from platform.experiments.description import write_settings

    write_settings(planned(data_root, tmp_path, tune_baselines=0))
    write_settings(planned(data_root, tmp_path))
    assert planned(data_root, tmp_path, tune_baselines=4).plan.tune_baselines == 4
    with pytest.raises(UserError, match="tune_baselines was 2 and is now None"):
        planned(data_root, tmp_path, tune_baselines=0)
