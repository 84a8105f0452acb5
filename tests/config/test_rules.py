"""An error about a setting names the field, its value, the rule and the flag."""

from __future__ import annotations

from typing import Any

import pytest

from platform.config.configuration import Plan, configuration_of
from platform.config.rules import check_storage
from platform.errors import UserError
from tests.tiny_faces import tiny_configuration


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": -1}, ("seed", "-1", "--seed")),
        ({"lambda_mask": float("nan")}, ("lambda_mask", "nan", "finite")),
        ({"ema_decay": 1.0}, ("ema_decay", "1.0", "--ema-decay")),
        ({"stage1_learning_rate": "fast"}, ("stage1_learning_rate", "'fast'", "float")),
        ({"freeze_generator": 1}, ("freeze_generator", "1", "bool")),
        ({"schedule": "linear"}, ("schedule", "linear", "cosine")),
        ({"stage1_constant_epochs": 0, "stage1_decay_epochs": 0}, ("stage1", ">= 1", "0")),
        ({"load_size_pixels": 20}, ("load_size_pixels", "20 < 32", "--load-size-pixels")),
        ({"momentum": 0.9}, ("momentum", "0.9", "--optimizer sgd")),
        ({"freeze_backbone": True}, ("freeze_backbone", "none", "--weights")),
    ],
)
def test_a_broken_rule_is_named_with_value_and_remedy(
    changes: dict[str, Any], named: tuple[str, ...]
) -> None:
    with pytest.raises(UserError) as caught:
        tiny_configuration(**changes)
    assert all(part in str(caught.value) for part in named)


def test_a_whole_number_in_a_field_of_decimals_is_the_same_setting() -> None:
    assert configuration_of(lambda_mask=10) == configuration_of(lambda_mask=10.0)
    assert isinstance(configuration_of(lambda_mask=10).lambda_mask, float)


def test_a_list_of_another_kind_is_refused() -> None:
    with pytest.raises(UserError, match="rounds must be a list of int"):
        Plan(rounds=("4", "3", "3"))  # type: ignore[arg-type]


@pytest.mark.parametrize("storage", ["journal", "sqlite:///study.db", "postgresql://me@host/studies"])
def test_storages_that_are_known(storage: str) -> None:
    check_storage(storage)


@pytest.mark.parametrize(
    ("storage", "remedy"),
    [
        ("sqlite:///", "--storage"),
        ("mysql://me@host/studies", "--storage"),
        ("postgresql://me:secret@host/studies", "PGPASSWORD"),
        ("postgresql://me@host/studies?password=secret", "PGPASSWORD"),
    ],
)
def test_an_unknown_storage_or_a_password_in_it_is_refused_without_showing_it(
    storage: str, remedy: str
) -> None:
    with pytest.raises(UserError, match=remedy) as caught:
        check_storage(storage)
    assert "secret" not in str(caught.value)
