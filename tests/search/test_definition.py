from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest

from platform.config.configuration import Configuration, configuration_of, option_names
from platform.config.presets import preset
from platform.errors import UserError
from platform.search.definition import SearchDefinition, check_first, definition_of_space
from platform.search.storage import open_storage


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    return {"lambda_mask": trial.suggest_float("lambda_mask", 0.1, 10.0, log=True)}


def definition(**changes: Any) -> SearchDefinition:
    values: dict[str, Any] = {
        "name": "study", "suggest": suggest, "first": ({"lambda_mask": 10.0}, {"lambda_mask": 0.1}),
        "settings": {"space": "quick", "study_seed": 0}, **changes,
    }  # fmt: skip
    return SearchDefinition(**values)


def of_preset(name: str) -> Configuration:
    names = option_names("fmpn")
    return configuration_of(**{key: value for key, value in preset(name).items() if key in names})


@pytest.mark.parametrize("name", ["paper", "released", "quick", "smoke"])
def test_every_presets_own_space_holds_its_first_configurations(name: str) -> None:
    base = of_preset(name)
    made = definition_of_space(preset(name)["space"], base, name="study", settings={"a": 1})
    assert (made.name, made.settings["a"]) == ("study", 1)
    assert made.first[0]["backbone"] == base.backbone  # the paper's configuration is tried first
    assert made.first[0]["lambda_mask"] == 10


def test_an_unknown_space_is_refused() -> None:
    with pytest.raises(UserError, match=r"unknown search space 'quik'; did you mean 'quick'\?"):
        definition_of_space("quik", of_preset("quick"))


@pytest.mark.parametrize("first", [{"lambda_mask": 1000.0}, {"other": 1.0}])
def test_a_first_configuration_outside_the_space_is_refused(first: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"is outside the search space .*[;,] choose a --space"):
        check_first(definition(first=(first,)))


def test_a_space_whose_values_make_no_valid_configuration_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"the search space produces an invalid configuration: lambda_mask must be >= 0"
    ):
        check_first(
            definition(
                suggest=lambda trial: {"lambda_mask": -trial.suggest_float("lambda_mask", 0.1, 10.0)},
            ),
            of_preset("quick"),
        )


def test_fixed_parameters_leave_the_first_configurations_without_them_and_without_repetition() -> None:
    base = of_preset("quick")
    rates = {"classifier_learning_rate": 1e-3, "generator_learning_rate": 1e-4}
    one_net = definition_of_space("quick", base, fixed=["backbone=resnet18"])
    assert list(one_net.first) == [{"lambda_mask": 10.0, **rates}, {"lambda_mask": 0.1, **rates}]
    one_weight = definition_of_space("quick", base, fixed=["lambda_mask=3"])
    nets = ["resnet18", "inception_v3", "vgg16_bn"]
    assert list(one_weight.first) == [{"backbone": name, **rates} for name in nets]
    study = optuna.create_study()
    assert one_weight.suggest(study.ask())["lambda_mask"] == 3.0


def test_a_fixed_choice_takes_what_depends_on_it_along() -> None:
    """The paper's net has dropout to search, and resnet18 has not."""
    first = definition_of_space("backbone", of_preset("paper"), fixed=["backbone=resnet18"]).first
    assert list(first) == [{"stage2_batch_size": 16, "classifier_learning_rate": 1e-4}]


def test_a_fixed_value_that_cannot_be_is_refused_with_its_rule() -> None:
    with pytest.raises(
        UserError, match=r"--fix lambda_mask=-1 produces .*: lambda_mask must be >= 0 .* -1.0"
    ):
        definition_of_space("quick", of_preset("quick"), fixed=["lambda_mask=-1"])


def test_enqueued_configurations_come_after_the_spaces_own() -> None:
    own = [{"lambda_classification": 1.0, "lambda_mask": mask} for mask in (10.0, 50.0)]
    made = definition_of_space("loss_weights", of_preset("paper"), enqueued=json.dumps(own))
    assert [one["lambda_mask"] for one in made.first] == [10.0, 0.1, 50.0]  # the paper's is there already


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


def test_a_space_whose_file_changed_is_refused_with_the_old_and_the_new_range(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import search_spaces.quick

    base, study = of_preset("quick"), optuna.create_study()
    definition_of_space("quick", base, name="study").check(study)

    def wider(trial: optuna.Trial) -> dict[str, Any]:
        return {**before(trial), "label_smoothing": trial.suggest_float("label_smoothing", 0.0, 0.2)}

    before = search_spaces.quick.suggest
    monkeypatch.setattr(search_spaces.quick, "suggest", wider)
    monkeypatch.setattr(search_spaces.quick, "first", lambda base: [])
    with pytest.raises(UserError, match=r"parameter label_smoothing was None and is now '0 to 0\.2'.*--name"):
        definition_of_space("quick", base, name="study").check(study)


def test_a_study_outlives_the_process_in_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "new" / "study.journal"
    study = optuna.create_study(study_name="study", storage=open_storage(path))
    trial = study.ask()
    study.tell(trial, 0.5)
    again = optuna.load_study(study_name="study", storage=open_storage(path))
    assert [t.value for t in again.trials] == [0.5]
