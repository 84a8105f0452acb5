from __future__ import annotations

import copy
from typing import Any

import pytest

from platform.models.costs.read_settings import ReadSettings
from platform.models.method import Settings

VALUES = {"width": 0.5, "weights": "imagenet", "seed": 3}


def noted(*fields: str) -> tuple[ReadSettings, dict[str, Any]]:
    read: dict[str, Any] = {}
    return ReadSettings(Settings(VALUES, fields or tuple(VALUES)), read), read


def test_what_is_read_is_noted_and_nothing_else() -> None:
    settings, read = noted()
    assert settings.width == 0.5
    assert read == {"width": 0.5}
    assert copy.copy(settings).seed == 3
    assert read == {"width": 0.5, "seed": 3}
    assert settings.to_dict() == VALUES == read


def test_a_changed_value_is_not_one_of_the_settings() -> None:
    settings, read = noted()
    changed = settings.with_values(weights="none")
    assert (changed.weights, changed.width) == ("none", 0.5)
    assert read == {"width": 0.5}
    assert changed.to_dict()["weights"] == "none"
    assert "weights" not in read


def test_an_undeclared_field_is_refused_as_always() -> None:
    settings, read = noted("width")
    with pytest.raises(AttributeError, match="'seed' is not among the declared fields"):
        _ = settings.seed
    assert not read
