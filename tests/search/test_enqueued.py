"""Configurations of one's own, from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import optuna
import pytest

from platform.errors import UserError
from platform.search.enqueued import enqueued_configurations, read_enqueue_file
from platform.search.parameters import survey, with_fixed


def space(trial: optuna.Trial) -> dict[str, Any]:
    optimizer = trial.suggest_categorical("optimizer", ("adam", "sgd"))
    chosen = {"optimizer": optimizer, "lambda_mask": trial.suggest_float("lambda_mask", 1e-3, 10.0, log=True)}
    if optimizer == "sgd":
        chosen["momentum"] = trial.suggest_float("momentum", 0.1, 0.9)
    return chosen


PARAMETERS = survey("mine", space)


def configurations(content: Any, fixed: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    fixed = fixed or {}
    return enqueued_configurations(
        json.dumps(content), with_fixed(space, fixed), PARAMETERS, fixed=fixed, source="mine.yaml"
    )


@pytest.mark.parametrize(
    "text",
    [
        "- {optimizer: adam, lambda_mask: 1e-3}\n- {optimizer: sgd, lambda_mask: 2, momentum: 0.5}\n",
        '[{"optimizer": "adam", "lambda_mask": 1e-3},'
        ' {"optimizer": "sgd", "lambda_mask": 2, "momentum": 0.5}]',
    ],
)
def test_yaml_and_json_give_the_same_configurations(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    found = configurations(json.loads(read_enqueue_file(file)))
    assert found == [
        {"optimizer": "adam", "lambda_mask": 1e-3},
        {"optimizer": "sgd", "lambda_mask": 2, "momentum": 0.5},
    ]


def test_the_content_is_kept_and_not_the_order_of_its_keys(tmp_path: Path) -> None:
    contents = []
    for name, text in (("a.yaml", "- {a: 1, b: x}\n"), ("b.json", '[{"b": "x", "a": 1}]')):
        (tmp_path / name).write_text(text)
        contents.append(read_enqueue_file(tmp_path / name))
    assert contents[0] == contents[1] == '[{"a":1,"b":"x"}]'


def test_no_content_is_no_configuration() -> None:
    assert enqueued_configurations("", space, PARAMETERS, fixed={}, source="") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold a list of configurations, but holds nothing"),
        ("[]", "must hold a list of configurations, but holds an empty list"),
        ("{optimizer: adam}", "must hold a list of configurations, but holds dict"),
        ("- {optimizer: adam}\n- sgd\n", "entry 2 of .* must map parameters to values, but is 'sgd'"),
        ("- {}\n", "entry 1 of .* must map parameters to values, but is {}"),
        ("- {momentum: [0.1, 0.2]}\n", "entry 1 of .* maps 'momentum' to \\[0.1, 0.2\\]"),
        ("- {momentum: .nan}\n", "entry 1 of .* must map names to finite numbers or words"),
        ("- {momentum: .inf}\n", "entry 1 of .* must map names to finite numbers or words"),
        ("- {1: 2}\n", "entry 1 of .* maps 1 to 2"),
        ("- {momentum: 0.5", "line 1: not valid YAML"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=message) as refusal:
        read_enqueue_file(file)
    assert str(file) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_name_given_twice_is_refused_and_not_the_last_value_taken(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- {optimizer: adam}\n- {lambda_mask: 10, lambda_mask: 20}\n")
    with pytest.raises(UserError, match=r"a\.yaml, line 2: .*'lambda_mask' appears twice"):
        read_enqueue_file(tmp_path / "a.yaml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*none\.yaml: No such .*check --enqueue"):
        read_enqueue_file(tmp_path / "none.yaml")


GOOD = {"optimizer": "adam", "lambda_mask": 1.0}


@pytest.mark.parametrize(
    ("entry", "parts"),
    [
        (
            {**GOOD, "lamda_mask": 1},
            ["unknown parameter in entry 2 of mine.yaml 'lamda_mask'"],
        ),
        ({**GOOD, "seed": 1}, ["'seed' is not searched by the space mine", "--seed VALUE"]),
        (
            {"optimizer": "adam"},
            ["entry 2 of mine.yaml is not in the space mine", "lambda_mask (0.001"],
        ),
        ({**GOOD, "lambda_mask": 100}, ["entry 2", "lambda_mask must be 0.001 to 10, but is 100"]),
        ({**GOOD, "lambda_mask": "much"}, ["entry 2", "lambda_mask must be 0.001 to 10, but is 'much'"]),
        ({**GOOD, "momentum": 0.5}, ["entry 2 of mine.yaml gives momentum, which", "leave it out"]),
    ],
)
def test_a_bad_entry_is_named_with_its_number(entry: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(UserError) as refusal:
        configurations([GOOD, entry])
    for part in parts:
        assert part in str(refusal.value)


def test_a_fixed_parameter_may_be_left_out_or_agree_and_must_not_differ() -> None:
    fixed = {"optimizer": "sgd"}
    rest = {"lambda_mask": 1.0, "momentum": 0.5}
    assert configurations([rest, {**rest, "optimizer": "sgd"}], fixed) == [rest, rest]
    with pytest.raises(UserError, match=r"entry 1 .* has optimizer 'adam', but --fix fixes it at 'sgd'"):
        configurations([{**rest, "optimizer": "adam"}], fixed)


def test_a_stored_content_that_is_no_json_is_refused() -> None:
    with pytest.raises(UserError, match=r"mine\.yaml, line 1: not valid JSON"):
        enqueued_configurations("- a", space, PARAMETERS, fixed={}, source="mine.yaml")
