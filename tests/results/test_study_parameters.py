"""Fixed parameters, and whether values fit a space."""

from __future__ import annotations

from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from platform.errors import UserError
from platform.results.study_parameters import (
    GivenTrial,
    as_value,
    in_words,
    is_inside,
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
        (["momentum"], ["--set takes PARAMETER=VALUE", "'momentum'"]),
        (["=1"], ["--set takes PARAMETER=VALUE"]),
        (["momentum="], ["--set takes PARAMETER=VALUE"]),
        (["momentum=0.5", "momentum=0.6"], ["each parameter once", "'momentum'"]),
        (
            ["momentun=0.5"],
            ["unknown parameter in --set 'momentun'; did you mean 'momentum'?", "draw"],
        ),
        (["momentum=fast"], ["--set momentum takes a number", "'fast'"]),
        (["draw=1.5"], ["--set draw takes a number", "'1.5'"]),
        (["optimizer=adamw"], ["--set optimizer takes adam or sgd", "'adamw'"]),
        (["lambda_mask=1"], ["'lambda_mask' is not searched by the space mine", "--lambda-mask VALUE"]),
        (["seed=1"], ["'seed' is no parameter of the space mine: it is worked out from others", "draw"]),
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


RATE = FloatDistribution(1e-5, 1e-3, log=True)
SHARE = FloatDistribution(0.0, 0.6, step=0.2)
COUNT = IntDistribution(8, 32, step=8)
CHOICE = CategoricalDistribution((0.0, 0.1, "none", True))


@pytest.mark.parametrize(
    ("distribution", "value", "inside"),
    [
        (RATE, 1e-4, True), (RATE, 1e-5, True), (RATE, 1e-2, False), (RATE, "1e-4", False),
        (RATE, True, False), (RATE, float("nan"), False), (RATE, None, False),
        (SHARE, 0.4, True), (SHARE, 0.3, False), (SHARE, 0, True),
        (COUNT, 16, True), (COUNT, 12, False), (COUNT, 16.0, False), (COUNT, 40, False),
        (CHOICE, 0.1, True), (CHOICE, "none", True), (CHOICE, 0.2, False), (CHOICE, "0.1", False),
    ],
)  # fmt: skip
def test_inside_is_what_the_distribution_can_give(distribution: Any, value: Any, inside: bool) -> None:
    assert is_inside(value, distribution) == inside


@pytest.mark.parametrize(
    ("distribution", "text", "value"),
    [
        (RATE, "1e-4", 1e-4), (RATE, "fast", "fast"), (COUNT, "16", 16), (COUNT, "1.5", "1.5"),
        (CHOICE, "0.10", 0.1), (CHOICE, "none", "none"), (CHOICE, "yes", True), (CHOICE, "x", "x"),
    ],
)  # fmt: skip
def test_a_text_becomes_a_value_of_the_distribution(distribution: Any, text: str, value: Any) -> None:
    found = as_value(text, distribution)
    assert (found, type(found)) == (value, type(value))


def test_distributions_in_words() -> None:
    assert in_words(RATE) == "1e-05 to 0.001"
    assert in_words(COUNT) == "8 to 32 in steps of 8"
    assert in_words(CategoricalDistribution(("a", "b", "c"))) == "a, b or c"
    assert in_words(CategoricalDistribution(("a",))) == "a"
