"""What a space asks for, fixed parameters, and whether values fit a space."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from platform.errors import UserError
from platform.search.parameters import (
    GivenTrial,
    parse_fixed,
    survey,
    with_fixed,
)


def branching(trial: optuna.Trial) -> dict[str, Any]:
    """A choice, a number that one branch alone asks for, and a field worked out from both."""
    optimizer = trial.suggest_categorical("optimizer", ("adam", "sgd"))
    chosen: dict[str, Any] = {"optimizer": optimizer, "seed": trial.suggest_int("draw", 0, 10, step=2)}
    if optimizer == "sgd":
        chosen["momentum"] = trial.suggest_float("momentum", 0.1, 0.9)
    return chosen


SPACE = survey("mine", branching)


def test_a_survey_finds_the_parameters_and_fields_of_every_branch() -> None:
    assert set(SPACE.distributions) == {"optimizer", "draw", "momentum"}
    assert SPACE.fields == {"optimizer", "seed", "momentum"}


def test_a_space_that_sets_an_unknown_field_is_refused() -> None:
    with pytest.raises(UserError, match=r"field set by search_spaces/mine\.py 'sead'; did you mean 'seed'\?"):
        survey("mine", lambda trial: {"sead": trial.suggest_int("sead", 0, 1)})


def test_a_survey_finds_what_is_asked_for_at_some_numbers_only() -> None:
    def suggest(trial: optuna.Trial) -> dict[str, Any]:
        chosen = {"lambda_mask": trial.suggest_float("lambda_mask", 0.1, 10.0, log=True)}
        if chosen["lambda_mask"] > 5:
            chosen["schedule"] = trial.suggest_categorical("schedule", ("paper", "cosine"))
        return chosen

    space = survey("mine", suggest)
    assert parse_fixed(["schedule=cosine"], space) == {"schedule": "cosine"}
    assert space == survey("mine", suggest)


# --- fixed parameters ---------------------------------------------------------------------------------


def test_a_fixed_parameter_is_not_asked_for_and_always_has_its_value() -> None:
    fixed = parse_fixed(["optimizer=sgd", "momentum=0.95"], SPACE)
    assert fixed == {"optimizer": "sgd", "momentum": 0.95}  # a number may lie outside the range
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(10):
        trial = study.ask()
        chosen = with_fixed(branching, fixed)(trial)
        assert (chosen["optimizer"], chosen["momentum"]) == ("sgd", 0.95)
        assert set(trial.params) == {"draw"}


def test_without_fixed_parameters_the_space_is_itself() -> None:
    assert with_fixed(branching, {}) is branching


@pytest.mark.parametrize(
    ("texts", "parts"),
    [
        (["momentum"], ["--fix takes PARAMETER=VALUE", "'momentum'"]),
        (["=1"], ["--fix takes PARAMETER=VALUE"]),
        (["momentum="], ["--fix takes PARAMETER=VALUE"]),
        (["momentum=0.5", "momentum=0.6"], ["each parameter once", "'momentum'"]),
        (
            ["momentun=0.5"],
            ["unknown parameter in --fix 'momentun'; did you mean 'momentum'?", "draw"],
        ),
        (["lamda_mask=1"], ["unknown parameter", "did you mean the flag --lambda-mask? Known: draw, mo"]),
        (["nothing=1"], ["unknown parameter in --fix 'nothing'. Known: draw, momentum, optimizer."]),
        (["momentum=nan"], ["--fix momentum takes a finite number", "'nan'"]),
        (["momentum=-inf"], ["--fix momentum takes a finite number", "'-inf'"]),
        (["momentum=1e400"], ["--fix momentum takes a finite number", "'1e400'"]),
        (["momentum=fast"], ["--fix momentum takes a number", "'fast'"]),
        (["draw=1.5"], ["--fix draw takes a number", "'1.5'"]),
        (["optimizer=adamw"], ["--fix optimizer takes adam or sgd", "'adamw'"]),
        (["lambda_mask=1"], ["'lambda_mask' is not searched by the space mine", "--lambda-mask VALUE"]),
        (["seed=1"], ["'seed' is not a parameter of the space mine, but derived from others", "draw"]),
    ],
)
def test_a_bad_value_says_what_is_wrong(texts: list[str], parts: list[str]) -> None:
    with pytest.raises(UserError) as refusal:
        parse_fixed(texts, SPACE)
    for part in parts:
        assert part in str(refusal.value)
    assert "\n" not in str(refusal.value)


# --- given values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"optimizer": "adam", "draw": 4}, []),
        ({"optimizer": "sgd", "draw": 4, "momentum": 0.5}, []),
        ({"optimizer": "sgd", "draw": 4}, ["momentum (0.1 to 0.9) is missing"]),
        ({}, ["optimizer (adam or sgd) is missing", "draw (0 to 10 in steps of 2) is missing"]),
        ({"optimizer": "adam", "draw": 3}, ["draw must be 0 to 10 in steps of 2, but is 3"]),
        ({"optimizer": "rmsprop", "draw": 2}, ["optimizer must be adam or sgd, but is 'rmsprop'"]),
    ],
)
def test_what_does_not_fit_is_named(values: dict[str, Any], problems: list[str]) -> None:
    trial = GivenTrial(values)
    branching(trial)  # type: ignore[arg-type]
    assert trial.problems == problems
    assert trial.asked == values
