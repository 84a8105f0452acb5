"""The score that selected a row's configuration, recomputed from the winning trials' fold runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform.aggregation.row_runs import RowRuns
from platform.errors import UserError
from platform.experiments.experiment_file import studies_of
from platform.search.inner_scores import Counts, accuracy_of_run, counts_of_run

if TYPE_CHECKING:
    from platform.runs.store import ResultsStore

TOLERANCE = 1e-12
"""Covers summing the same accuracies in another order; a single image changes a mean by far more."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The score that selected a row's configuration, and the fold runs that it is the mean of."""

    score: float | None
    """In [0, 1]; None without a selection."""
    runs: tuple[tuple[float, Counts], ...] = ()
    """Of each fold run of the winners its weight in the score, and its counts by subject; weights sum to 1.
    Empty where an earlier version did not list the runs."""


def selection_of(
    store: ResultsStore, experiment: Mapping[str, Any], row: Mapping[str, Any], runs: RowRuns
) -> Selection:
    """Mean of the winners' scores over the studies of the row's method, with their fold runs.

    Raises UserError when the row states another score, when a winner's fold run is missing, or when the row's
    fold runs have another configuration than the winner. Experiments made before 22 November 2026 store no
    score; a stated score whose studies list no fold runs cannot be recomputed and is returned as it is.
    """
    stated: float | None = row.get("selection_score")
    winners = [(study, _winner(study)) for study in studies_of(experiment) if _is_of(study, row)]
    if stated is None or not winners or not all(trial.get("runs") for _, trial in winners):
        return Selection(score=stated)
    for study, trial in winners:
        _check_settings(study, trial, runs)
    found = [_score(store, study, trial, runs.name) for study, trial in winners]
    _check_close(runs.name, "the score that selected its configuration", sum(found) / len(found), stated)
    return Selection(
        score=stated,
        runs=tuple(
            (1.0 / (len(winners) * len(trial["runs"])), counts_of_run(store, run["identity"]))
            for _, trial in winners
            for run in trial["runs"]
        ),
    )


def winners_only(experiment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The experiment's studies reduced to their winning trials: the part that `selection_of` reads."""
    return [
        {**study, "trials": [trial for trial in [_winner(study)] if trial]}
        for study in studies_of(experiment)
    ]


def _is_of(study: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether the study searched the row's method. Only such a row states a score, so a study made before
    28 November 2026, which names no method, is of the row."""
    return study.get("method", row["method"]) == row["method"]


def _winner(study: Mapping[str, Any]) -> Mapping[str, Any]:
    number = study.get("winner")
    return next((trial for trial in study.get("trials", ()) if trial["number"] == number), {})


def _score(store: ResultsStore, study: Mapping[str, Any], trial: Mapping[str, Any], name: str) -> float:
    accuracies = []
    for run in trial["runs"]:
        if not store.is_complete("fold_runs", run["identity"]):
            raise UserError(
                f"{name}: the score that selected its configuration is the mean over the winner's fold runs, "
                f"but fold run {run['identity']} of trial {trial['number']} of {study['name']} is missing; "
                "run the experiment's command again to recompute it."
            )
        accuracies.append(accuracy_of_run(store, run["identity"]))
    score = sum(accuracies) / len(accuracies)
    _check_close(name, f"the score of trial {trial['number']} of {study['name']}", score, trial["score"])
    return score


def _check_settings(study: Mapping[str, Any], trial: Mapping[str, Any], runs: RowRuns) -> None:
    """UserError unless the row's fold runs have the winner's parameters, as far as its method has them."""
    folds = study.get("outer_folds")
    for run in runs.finished:
        config = run.record["config"]
        other = [key for key, value in trial["params"].items() if config.get(key, value) != value]
        if other and (folds is None or run.fold in folds):
            shown = ", ".join(f"{key} {config[key]!r} and not {trial['params'][key]!r}" for key in other)
            raise UserError(
                f"{runs.name}, fold {run.fold}: its fold run must have the configuration of the winner, "
                f"trial {trial['number']} of {study['name']}, but it has {shown}; remove the experiment's "
                "experiment.json and run its command again."
            )


def _check_close(name: str, what: str, found: float, stated: Any) -> None:
    if not (
        isinstance(stated, int | float) and math.isclose(found, stated, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    ):
        raise UserError(
            f"{name}: {what} must equal that of its stored fold runs, {found}, but experiment.json states "
            f"{stated}; remove that file and run the experiment's command again (finished runs are kept)."
        )
