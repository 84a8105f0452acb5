from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from platform.config.configuration import configuration_of, option_names, to_dict
from platform.models import load_method
from platform.models.method import Method, Settings
from platform.models.options.configuration import Configuration
from platform.models.options.fields import added_later, later_fields


def test_settings_give_the_declared_fields_only() -> None:
    settings = Settings({"seed": 3, "backbone": "vgg16"}, ("seed", "seed"))
    assert settings.seed == 3
    assert settings.to_dict() == {"seed": 3}
    with pytest.raises(AttributeError, match="'backbone' is not among the declared fields: seed"):
        _ = settings.backbone


def test_settings_need_every_declared_field() -> None:
    with pytest.raises(KeyError, match="seed"):
        Settings({}, ("seed",))


def test_settings_travel_to_other_processes() -> None:
    settings = Settings({"seed": 3}, ("seed",))
    assert pickle.loads(pickle.dumps(settings)).to_dict() == {"seed": 3}


def test_a_fold_runs_settings_are_the_methods_options_but_those_of_stage_1_alone() -> None:
    values = to_dict(configuration_of("fmpn"))
    stage1 = {name for name in values if name.startswith("stage1_")}
    assert set(load_method("fmpn").settings(values).to_dict()) == set(values) - stage1 - {"method"}
    later = later_fields(load_method("cnn").options)
    assert set(load_method("cnn").settings(values).to_dict()) == {*option_names("cnn")} - {"method", *later}
    assert load_method("cnn").settings({**values, "amsgrad": True}).to_dict()["amsgrad"] is True


def test_stage_1_reads_its_groups_and_nothing_of_stage_2() -> None:
    fmpn = load_method("fmpn")
    read = fmpn.artifacts(configuration_of("fmpn"))["stage1"].option_names(fmpn.options)
    assert stage1_only() <= read
    assert not {name for name in read if name.startswith(("stage2_", "lambda_", "classifier_"))}
    assert load_method("cnn").artifacts(configuration_of("cnn")) == {}


def stage1_only() -> set[str]:
    return {name for name in option_names("fmpn") if name.startswith("stage1_")}


@dataclass(frozen=True, kw_only=True)
class GrownOptions(Configuration):
    """Options with one that the first version did not have."""

    rate: float = 0.1
    """Rate."""
    warm_up: int = added_later(0)
    """Steps."""


class Grown(Method):
    """A method that declares and does nothing."""

    title = "Grown"
    options = GrownOptions
    presets: ClassVar = {"quick": {}, "smoke": {}}
    space = "baseline"

    def fit(self, train: Any, settings: Settings, inputs: Any, tools: Any) -> Any: ...

    def load(self, files: Any, settings: Settings, class_names: Any) -> Any: ...


def test_an_option_added_later_is_in_no_record_while_it_has_its_default() -> None:
    method = Grown()
    old = to_dict(GrownOptions(method="grown"))
    assert "warm_up" not in old
    settings = method.settings(old)
    assert settings.warm_up == 0
    assert "warm_up" not in settings.to_dict()
    assert settings.with_values(rate=1.0).warm_up == 0
    new = method.settings(to_dict(GrownOptions(method="grown", warm_up=5)))
    assert (new.warm_up, new.to_dict()["warm_up"]) == (5, 5)


def test_a_version_other_than_the_first_is_in_records() -> None:
    assert Grown().record() == {}
    assert type("Later", (Grown,), {"version": 2})().record() == {"method_version": 2}
