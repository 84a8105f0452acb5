"""Verification of a study's recorded trials against the stored fold runs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from platform.config.configuration import Configuration, replace
from platform.errors import UserError
from platform.runs.model_measures import parameter_count
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.inner_scores import InnerScores, inner_scores
from platform.search.invalid_trials import ATTRIBUTE, why_invalid
from platform.search.parameters import GivenTrial, Suggest
from platform.search.trial_values import trial_values

TOLERANCE = 1e-12
"""Covers sums of the same counts in another order; a single image changes a score by far more."""


def scored_runs(trial: FrozenTrial, tasks: Sequence[FoldTask]) -> Sequence[FoldTask]:
    """The fold runs from which a trial's score was computed; none for a failed trial."""
    if trial.state == TrialState.FAIL or ATTRIBUTE in trial.user_attrs:
        return ()
    return tasks[: int(trial.user_attrs["folds"])]


def check_recorded(
    trial: FrozenTrial,
    tasks: Sequence[FoldTask],
    *,
    study: str,
    suggest: Suggest,
    base: Configuration,
    class_count: int,
    objectives: Sequence[str],
    store: ResultsStore,
    scores: InnerScores | None = None,
) -> InnerScores | None:
    """UserError unless an ended trial follows from its parameters and fold runs; latency is not verified.

    Returns the scores of these fold runs; None for a failed trial, whose values are not verified.

    `tasks`: all steps of the trial, in order, none for an invalid one; `suggest`, `base`: the space, and the
    configuration that it modifies; `scores`: of the stored ones of its `scored_runs`, if the caller has read
    them. Missing fold runs of a complete or pruned trial are an error too.
    """
    attributes = trial.user_attrs
    if ATTRIBUTE in attributes:
        overrides = attributes["overrides"]
        reason = why_invalid(base, overrides, class_count) if overrides else "the space failed"
        _expect(trial, study, "state", "invalid" if reason else "valid", "invalid")
        return None
    _expect(trial, study, "configuration", _overrides(trial, suggest), attributes["overrides"])
    if trial.state == TrialState.FAIL:
        return None
    done = int(attributes["folds"])
    complete = trial.state == TrialState.COMPLETE
    if not (done == len(tasks) if complete else 0 < done <= len(tasks)):
        raise _other(
            trial, study, "number of fold runs", f"of {len(tasks)}", f"{done} and {trial.state.name}"
        )
    scored = scored_runs(trial, tasks)
    scores = scores or inner_scores(store, scored, partial=True)
    missing = [task for step, task in enumerate(scored) if step not in scores.steps]
    if missing:
        raise UserError(
            f"trial {trial.number} of study {study} has a recorded score, but its fold run "
            f"{missing[0].identity} (fold {missing[0].fold_index}) is not in {store.root}; {_AGAIN}."
        )
    if trial.intermediate_values:
        _expect_close(trial, study, "mean", {done: scores.mean_of_steps}, trial.intermediate_values)
    if complete:
        values = _values(
            trial, tasks, scores, base=base, class_count=class_count, objectives=objectives, store=store
        )
        _expect_close(trial, study, "values", values, dict(zip(objectives, trial.values, strict=True)))
    return scores


def _overrides(trial: FrozenTrial, suggest: Suggest) -> dict[str, Any]:
    """The fields that the space returns for the trial's parameters, as stored in a study."""
    made = suggest(GivenTrial(trial.params))  # type: ignore[arg-type]
    stored: dict[str, Any] = json.loads(json.dumps(made))
    return stored


def _values(
    trial: FrozenTrial,
    tasks: Sequence[FoldTask],
    scores: InnerScores,
    *,
    base: Configuration,
    class_count: int,
    objectives: Sequence[str],
    store: ResultsStore,
) -> dict[str, float]:
    recorded = dict(zip(objectives, trial.values, strict=True))
    measured = {name: recorded[name] for name in objectives if name == "latency"}
    if "parameters" in objectives:
        configuration = replace(base, **trial.user_attrs["overrides"])
        measured["parameters"] = float(parameter_count(configuration, class_count))
    values = trial_values(objectives, scores, store=store, tasks=tasks, measured=measured)
    return dict(zip(objectives, values, strict=True))


def _expect_close(
    trial: FrozenTrial, study: str, what: str, found: Mapping[Any, float], recorded: Mapping[Any, float]
) -> None:
    same = found.keys() == recorded.keys() and all(
        math.isclose(found[key], recorded[key], rel_tol=TOLERANCE, abs_tol=TOLERANCE) for key in found
    )
    if not same:
        raise _other(trial, study, what, found, recorded)


def _expect(trial: FrozenTrial, study: str, what: str, found: Any, recorded: Any) -> None:
    if found != recorded:
        raise _other(trial, study, what, found, recorded)


_AGAIN = (
    "move the study's storage away, or pass a new --name, and run the same command: the search is repeated "
    "from the stored fold runs"
)


def _other(trial: FrozenTrial, study: str, what: str, found: Any, recorded: Any) -> UserError:
    return UserError(
        f"recorded trials must agree with the stored fold runs, but trial {trial.number} of {study} has the "
        f"{what} {recorded}, and they give {found}: its storage was modified or damaged; {_AGAIN}."
    )
