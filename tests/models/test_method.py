from __future__ import annotations

import pickle

import pytest

from platform.models import load_method
from platform.models.method import COMMON_FIELDS, STAGE1_FIELDS, Settings


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


def test_a_methods_settings_are_its_own_fields_and_the_loops() -> None:
    method = load_method("cnn")
    values = {**dict.fromkeys((*COMMON_FIELDS, *STAGE1_FIELDS, *load_method("fmpn").fields), 0), "more": 1}
    assert set(method.settings(values).to_dict()) == {*COMMON_FIELDS, *method.fields}
