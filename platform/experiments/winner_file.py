"""The configuration that a search chose, as a settings file that `crossval --config` reads."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platform.config.configuration import Configuration, Plan, plan_with
from platform.config.presets import with_method
from platform.config.selection import Scope
from platform.config.settings_file import SEARCH_FIELDS, settings_yaml
from platform.experiments.experiment import Experiment
from platform.experiments.led_files import write_as_leader
from platform.experiments.rows import Found
from platform.files.json_files import parse_own_json

WINNER = "winner.yaml"
OF_A_FOLD = "winner-fold-*.yaml"
SCORED_ON = {
    "inner": "accuracy on validation splits",
    "nested": "accuracy on the fold's validation splits",
    "test": "accuracy on the TEST folds (leakage)",
}
"""Selection rule to the meaning of a winner's score."""


def write_winners(experiment: Experiment, found: Found) -> None:
    """Write `winner.yaml`, or under the rule `nested` a `winner-fold-K.yaml` for each outer fold.

    A file holds the data set, the method, its options, those of the baselines, and the plan of the final fold
    runs, so that crossval finds them all. Equal choices give equal bytes.
    """
    for scope in experiment.scopes:
        name = WINNER if len(experiment.scopes) == 1 else OF_A_FOLD.replace("*", str(scope.outer_folds[0]))
        write_as_leader(experiment.folder / name, winner_text(experiment, found, scope))


def winner_files(folder: Path) -> list[Path]:
    """The files that `write_winners` wrote into an experiment's folder, in the order of the folds."""
    of_folds = sorted(folder.glob(OF_A_FOLD), key=lambda path: (len(path.name), path.name))
    return [path for path in (folder / WINNER,) if path.is_file()] or of_folds


def winner_text(experiment: Experiment, found: Found, scope: Scope) -> str:
    """The file of one study of the experiment's own method."""
    plan, fold = experiment.plan, scope.outer_folds[0]
    several = len(experiment.scopes) > 1
    method = experiment.configuration.method
    configuration = found.chosen[method].configurations[fold]
    plan = plan_with(
        plan,
        selection_rule="paper",
        rounds=(),
        tune_baselines=0,
        folds_only=(fold,) if several else (),
        methods=_of_baselines(experiment, found, configuration, fold),
    )
    lines = [_chosen_by(experiment, found, scope)]
    if several:
        lines.append(
            f"The rule `nested` chooses for each fold: these settings are those of fold {fold} alone, which "
            "folds_only says. --folds-only '' runs all folds with them."
        )
    lines += [
        "crossval --config with this file takes the final fold runs from the results that are there; with",
        "--seeds, --seed or --dataset, and a --name of its own, it trains the same settings again.",
    ]
    classes = experiment.planned.data.class_names
    settings = settings_yaml(configuration, plan, without=SEARCH_FIELDS, classes=classes)
    return "".join(f"# {line}\n" for line in lines) + settings


def _chosen_by(experiment: Experiment, found: Found, scope: Scope) -> str:
    study = _study(found, experiment.configuration.method, scope)
    trials: list[dict[str, Any]] = study["trials"]
    score = next(trial["score"] for trial in trials if trial["number"] == study["winner"])
    return (
        f"Chosen by the search {experiment.name}: trial {study['winner']} of {len(trials)}, "
        f"{SCORED_ON[experiment.plan.selection_rule]} {100 * score:.2f} %."
    )


def _study(found: Found, method: str, scope: Scope) -> Mapping[str, Any]:
    """The method's study whose choice is for the scope's folds, as experiment.json holds it."""
    return next(
        study
        for study in found.studies
        if study["method"] == method and study["outer_folds"] == list(scope.outer_folds)
    )


def _of_baselines(experiment: Experiment, found: Found, configuration: Configuration, fold: int) -> str:
    """Options of the baselines that do not follow from the winner's: what their own searches tried, and what
    the user gave for them. As the plan's JSON."""
    plan: Plan = plan_with(experiment.plan, methods="")
    given: dict[str, dict[str, Any]] = _given(experiment.plan)
    for method in dict.fromkeys(plan.baselines):
        if method == configuration.method:
            continue
        options = dict(given.get(method, {}))
        if method in found.chosen:
            chosen = found.chosen[method].configurations[fold]
            follows = with_method(configuration, method, plan)
            scope = next(one for one in experiment.scopes if fold in one.outer_folds)
            tried = _tried(_study(found, method, scope))
            options = {
                field.name: getattr(chosen, field.name)
                for field in dataclasses.fields(chosen)
                if field.name in tried or getattr(chosen, field.name) != getattr(follows, field.name)
            }
        given[method] = options
    given = {method: options for method, options in given.items() if options}
    return json.dumps(given, sort_keys=True) if given else ""


def _given(plan: Plan) -> dict[str, dict[str, Any]]:
    """What the user gave for the baselines."""
    return dict(parse_own_json(plan.methods.encode(), "the field methods")) if plan.methods else {}


def _tried(study: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters of the study's winner."""
    params: Mapping[str, Any] = next(
        trial["params"] for trial in study["trials"] if trial["number"] == study["winner"]
    )
    return params
