from __future__ import annotations

import argparse
import json
from typing import Any

import optuna
import pytest

from platform.cli.flags import resolve
from platform.cli.search_checks import (
    check_enqueued_fit,
    check_sampler,
    front_lines,
    search_lines,
    shown_value,
)
from platform.config.configuration import Plan, configuration_of, option_names
from platform.config.presets import preset
from platform.errors import UserError
from platform.search.definition import SearchDefinition, definition_of_space

FIELDS = option_names("fmpn")
QUICK = configuration_of(**{name: value for name, value in preset("quick").items() if name in FIELDS})


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    return {"lambda_mask": trial.suggest_float("lambda_mask", 0.1, 10.0)}


DEFINITION = SearchDefinition(name="study", suggest=suggest, first=(), settings={})


@pytest.mark.parametrize(
    ("plan", "error"),
    [
        (Plan(sampler="grid"), "lambda_mask is numeric"),
        (Plan(sampler="cmaes", objectives=("accuracy", "latency")), "cmaes takes one objective"),
    ],
)
def test_a_sampler_that_cannot_do_it_is_refused_before_anything_runs(plan: Plan, error: str) -> None:
    with pytest.raises(UserError, match=error):
        check_sampler(plan, DEFINITION)
    check_sampler(Plan(sampler="cmaes"), DEFINITION)


def test_the_plan_says_who_proposes_what_for_and_why_nothing_is_pruned() -> None:
    assert search_lines(Plan(), QUICK, 10) == [
        "sampler tpe: all parameters",
        "tried first: 4 configurations",
        "pruning: on (Wilcoxon over subjects)",
    ]
    plan = Plan(sampler="gp", asynchronous=True, objectives=("accuracy", "latency"))
    sampler, _, objectives, pruning = search_lines(plan, QUICK, 10)
    assert sampler.startswith("sampler gp: moves backbone, lambda_mask,")
    assert "differs from an uninterrupted one" in sampler
    assert objectives.startswith(
        "objectives: accuracy, mean of folds, milliseconds per image; the most accurate"
    )
    assert pruning.startswith("pruning: off (several objectives")


def test_configurations_that_are_tried_first_are_counted_and_none_of_the_users_own_is_left_out() -> None:
    first = {"lambda_mask": 10.0, "backbone": "resnet18", "classifier_learning_rate": 1e-3}
    own = [{**first, "generator_learning_rate": rate} for rate in (1e-4, 2e-4)]
    plan = Plan(space="quick", enqueued=json.dumps(own), trials=3)
    assert search_lines(plan, QUICK, 10)[1] == (
        "tried first: 5 configurations, 2 from --enqueue (duplicates are tried once); --trials 3 leaves out 2"
    )
    definition = definition_of_space("quick", QUICK, enqueued=plan.enqueued)
    with pytest.raises(UserError, match=r"need 5 trials, but --trials is 3; raise it, or shorten"):
        check_enqueued_fit(plan, definition)
    check_enqueued_fit(Plan(space="quick", enqueued=plan.enqueued, trials=5), definition)
    check_enqueued_fit(Plan(space="quick", trials=1), definition)
    assert search_lines(Plan(space="quick", trials=1), QUICK, 10)[1].endswith("--trials 1 leaves out 3")


def test_the_front_is_listed_with_the_chosen_trial_marked() -> None:
    values = {0: (0.5, 12.34), 2: (0.25, 3.0)}
    study = {
        "name": "study", "objectives": ["accuracy", "latency"], "front": [0, 2], "winner": 0,
        "trials": [
            {"number": n, "values": {"accuracy": a, "latency": ms}} for n, (a, ms) in values.items()
        ],
    }  # fmt: skip
    title, chosen, other = front_lines({"studies": [study]})
    assert title.startswith("Pareto front of study")
    assert chosen == "  trial 0: accuracy 50.0%, latency 12.3 ms  <- chosen: the most accurate"
    assert other == "  trial 2: accuracy 25.0%, latency 3.0 ms"
    assert front_lines({"studies": [{**study, "objectives": ["accuracy"]}]}) == []
    assert shown_value("parameters", 799048.0) == "parameters 799,048"


def test_a_password_given_with_storage_is_in_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "")
    arguments = argparse.Namespace(
        preset="quick", config=None, options_of="fmpn", storage="postgresql://u:secret@host/db",
        objectives="accuracy,latency",
    )  # fmt: skip
    _, plan = resolve(arguments)
    assert plan.storage == "postgresql://u@host/db"
    assert plan.objectives == ("accuracy", "latency")


@pytest.mark.parametrize(
    ("storage", "error"),
    [
        ("mysql://host/db", "storage must be journal, sqlite:///FILE or postgresql://"),
        ("sqlite:///", "storage must be journal, sqlite:///FILE"),
        ("postgresql://u:secret@host/db", "must not hold a password"),
        ("postgresql://host/db?password=secret", "must not hold a password"),
    ],
)
def test_a_storage_that_cannot_be_is_refused_and_a_password_not_shown(storage: str, error: str) -> None:
    with pytest.raises(UserError, match=error) as refusal:
        Plan(storage=storage)
    assert "secret" not in str(refusal.value)
