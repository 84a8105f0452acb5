"""Ray Tune runs the trials, Optuna proposes and prunes: one trial a configuration, folds its steps.

The Optuna study is the truth about the search and the results store the truth about fold runs;
Tune's own state is thrown away (platform/distributed/study_search.py).
"""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import TrialState
from ray import tune

from platform.config import Configuration, Plan, replace, to_dict
from platform.distributed.cluster import TRIAL_SLOT
from platform.distributed.study_search import METRIC, PruningScheduler, Studies, StudySearch, trial_tasks
from platform.errors import UserError
from platform.results.inner_scores import inner_scores
from platform.results.planning import PlannedData, machine_of
from platform.results.store import ResultsStore
from platform.results.study import SearchDefinition
from platform.results.study_storage import open_storage
from platform.selection import Scope, default_rounds

LOST_TRIAL_RESTARTS = 2
"""Times that a trial is started again after its process was lost."""


def run_trial(
    config: dict[str, Any],
    *,
    dispatcher: Any,
    base: Configuration,
    plan: Plan,
    planned: PlannedData,
    scopes: Mapping[str, Scope],
    runs_root: str,
) -> None:
    """Tune's trainable: the folds of one configuration in rounds; after each round its mean accuracy.

    It ends at a failed fold run: a configuration with a failed fold has no score.
    """
    import ray

    tasks = trial_tasks(base, config["overrides"], planned, plan, scopes[config["study"]])
    store = ResultsStore(Path(runs_root))
    done = 0
    for size in rounds(plan, len(tasks)):
        manifests = ray.get(dispatcher.run.remote(tasks[done : done + size]))
        failed = [
            task.fold_index
            for task, m in zip(tasks[done:], manifests, strict=False)
            if m["status"] != "complete"
        ]
        if failed:
            # Reported, not raised: an exception would start the trial again, as a lost process does.
            tune.report({METRIC: math.nan, "folds": done, "failed_folds": len(failed)})
            return
        done += size
        accuracy = inner_scores(store, tasks[:done]).mean_of_steps
        tune.report({METRIC: accuracy, "folds": done, "failed_folds": 0})


def rounds(plan: Plan, steps: int) -> tuple[int, ...]:
    """Fold runs a round: the plan's, or all at once where nothing is pruned."""
    if not plan.pruning or steps == 1:
        return (steps,)
    return plan.rounds or default_rounds(steps)


def run_search(
    definition: SearchDefinition,
    *,
    dispatcher: Any,
    store: ResultsStore,
    storage_path: Path,
    base: Configuration,
    plan: Plan,
    planned: PlannedData,
    scopes: Sequence[Scope],
) -> list[StudySearch]:
    """Run a study for each scope to its end and return them, in order.

    Raises KeyboardInterrupt when Tune was stopped before that.
    """
    storage = open_storage(storage_path)
    search = Studies(
        [
            StudySearch(
                dataclasses.replace(definition, name=definition.name + scope.suffix),
                storage=storage,
                store=store,
                base=base,
                plan=plan,
                planned=planned,
                scope=scope,
            )
            for scope in scopes
        ]
    )
    if not search.is_finished():
        trainable = tune.with_parameters(
            run_trial,
            dispatcher=dispatcher,
            base=base,
            plan=plan,
            planned=planned,
            scopes={scope.suffix: scope for scope in scopes},
            runs_root=str(store.root),
        )
        _run_trials(search, trainable, plan.trials * len(scopes))
    if not search.is_finished():
        raise KeyboardInterrupt
    for one in search.searches:
        if not any(trial.state == TrialState.COMPLETE for trial in one.study.trials):
            raise UserError(
                f"all {plan.trials} trials of study {one.definition.name} failed; the tracebacks are in the "
                f"manifests under {store.root / 'fold_runs'}. With the cause gone, pass --name with a new "
                f"name to search again, or a higher --trials to go on."
            )
    return list(search.searches)


def _run_trials(search: Studies, trainable: Any, trials: int) -> None:
    """Ray Tune, until the search says FINISHED or Tune was stopped."""
    with tempfile.TemporaryDirectory(prefix="tune-") as folder:
        tuner = tune.Tuner(
            tune.with_resources(trainable, tune.PlacementGroupFactory([{TRIAL_SLOT: 1}])),
            tune_config=tune.TuneConfig(
                search_alg=search,
                scheduler=PruningScheduler(search),
                num_samples=trials,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=folder,
                verbose=0,
                # For a lost process: the trial starts again, and its finished fold runs are there.
                failure_config=tune.FailureConfig(max_failures=LOST_TRIAL_RESTARTS),
            ),
        )
        tuner.fit()


def described_trials(search: StudySearch) -> list[dict[str, Any]]:
    """The study's trials for experiment.json: number, state, parameters, score, folds, runs."""
    described = []
    for trial in search.study.get_trials(deepcopy=False):
        if not trial.state.is_finished():
            continue
        runs: list[dict[str, Any]] = [
            {"fold": fold, "part": part, "identity": task.identity}
            for (fold, part), task in zip(search.scope.steps, search.tasks(trial.number), strict=True)
            if search._store.is_complete("fold_runs", task.identity)
        ]
        described.append(
            {
                "number": trial.number,
                "state": trial.state.name,
                "params": trial.user_attrs["overrides"],
                "score": trial.value
                if trial.state == TrialState.COMPLETE
                else search.scores(trial.number).mean_or_none,
                "folds": trial.user_attrs["folds"],
                "runs": sorted(runs, key=lambda run: (run["fold"], run["part"] or 0)),
            }
        )
    return described


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a study chose."""

    trial: int
    score: float
    """Mean accuracy of the trial's fold runs, in [0, 1]: what it was chosen by."""
    configuration: Configuration


def winner(search: StudySearch) -> Choice:
    """The complete trial with the best mean; the earlier one on a tie."""
    complete = [t for t in search.study.get_trials(deepcopy=False) if t.state == TrialState.COMPLETE]
    best = max(complete, key=lambda trial: (trial.value, -trial.number))
    return Choice(
        trial=best.number,
        score=float(best.value or 0.0),
        configuration=replace(search._base, **best.user_attrs["overrides"]),
    )


def search_settings(base: Configuration, plan: Plan, planned: PlannedData) -> dict[str, Any]:
    """What a study is about: if any of it changes, its trials are no longer comparable."""
    keys = (
        "fold_rule",
        "folds",
        "selection_rule",
        "rounds",
        "pruning",
        "study_seed",
        "trials_in_flight",
        "space",
        "fixed",
        "enqueued",
        "train_workers",
    )
    settings = to_dict(plan)
    return {
        **{name: settings[name] for name in keys},
        **{f"base.{name}": value for name, value in to_dict(base).items()},
        "data": planned.data.hash,
        "folds_hash": planned.folds.hash,
        "machine": machine_of(plan).to_dict(),
    }
