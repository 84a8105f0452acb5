from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import optuna
import pytest

from platform.config import Configuration
from platform.errors import UserError
from platform.presets import preset
from platform.results.study import SearchDefinition, check_first, definition_of_space
from platform.results.study_storage import open_storage
from search_spaces import space_names


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    return {"lambda_mask": trial.suggest_float("lambda_mask", 0.1, 10.0, log=True)}


def definition(**changes: Any) -> SearchDefinition:
    values: dict[str, Any] = {
        "name": "study", "suggest": suggest, "first": ({"lambda_mask": 10.0}, {"lambda_mask": 0.1}),
        "settings": {"space": "quick", "study_seed": 0}, **changes,
    }  # fmt: skip
    return SearchDefinition(**values)


def configuration_of(name: str) -> Configuration:
    fields = Configuration.__dataclass_fields__
    return Configuration(**{key: value for key, value in preset(name).items() if key in fields})


@pytest.mark.parametrize("name", ["paper", "released", "quick", "smoke"])
def test_every_presets_own_space_holds_its_first_configurations(name: str) -> None:
    base = configuration_of(name)
    made = definition_of_space(preset(name)["space"], base, name="study", settings={"a": 1})
    assert (made.name, made.settings) == ("study", {"a": 1})
    assert made.first[0]["backbone"] == base.backbone  # the paper's configuration is tried first
    assert made.first[0]["lambda_mask"] == 10


@pytest.mark.parametrize("name", space_names())
def test_every_proposal_of_a_space_is_a_configuration(name: str) -> None:
    base = configuration_of("quick")
    made = definition_of_space(name, base) if name == "quick" else definition(suggest=_suggest(name))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        dataclasses.replace(base, image_size_pixels=52, **made.suggest(study.ask()))


def _suggest(name: str) -> Any:
    from search_spaces import load_space

    space = load_space(name)

    def with_small_faces(trial: optuna.Trial) -> dict[str, Any]:
        return {"enlarge_below_pixels": 75, **space.suggest(trial)}

    return with_small_faces


def test_an_unknown_space_is_refused() -> None:
    with pytest.raises(UserError, match=r"unknown search space 'quik'; did you mean 'quick'\?"):
        definition_of_space("quik", configuration_of("quick"))


@pytest.mark.parametrize("first", [{"lambda_mask": 1000.0}, {"other": 1.0}])
def test_a_first_configuration_outside_the_space_is_refused(first: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"is outside the search space .*; choose a --space"):
        check_first(definition(first=(first,)))


def test_a_new_study_is_given_its_definition_and_its_first_trials() -> None:
    study = optuna.create_study()
    definition().check(study)
    assert study.user_attrs["definition"] == {"space": "quick", "study_seed": 0}
    assert [study.ask().suggest_float("lambda_mask", 0.1, 10.0, log=True) for _ in range(2)] == [10.0, 0.1]


def test_checking_again_adds_nothing() -> None:
    study = optuna.create_study()
    for _ in range(3):
        definition().check(study)
    assert len(study.trials) == 2


def test_a_study_made_half_before_a_kill_is_completed() -> None:
    study = optuna.create_study()
    study.set_user_attr("definition", dict(definition().settings))
    study.enqueue_trial({"lambda_mask": 10.0})
    definition().check(study)
    assert [trial.system_attrs["fixed_params"] for trial in study.trials] == list(definition().first)


def test_a_study_of_other_settings_is_refused_with_what_differs() -> None:
    study = optuna.create_study()
    definition().check(study)
    with pytest.raises(UserError) as refusal:
        definition(settings={"space": "fmpn", "study_seed": 0}).check(study)
    assert "space was 'quick' and is now 'fmpn'" in str(refusal.value)
    assert "study_seed" not in str(refusal.value)
    assert "--name" in str(refusal.value)
    assert len(study.trials) == 2


def test_the_sampler_is_a_function_of_its_seed() -> None:
    def proposed(seed: int) -> float:
        study = optuna.create_study(sampler=definition().sampler(seed))
        return float(suggest(study.ask())["lambda_mask"])

    assert proposed(1) == proposed(1) != proposed(2)


def test_a_study_outlives_the_process_in_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "new" / "study.journal"
    study = optuna.create_study(study_name="study", storage=open_storage(path))
    trial = study.ask()
    study.tell(trial, 0.5)
    again = optuna.load_study(study_name="study", storage=open_storage(path))
    assert [t.value for t in again.trials] == [0.5]
