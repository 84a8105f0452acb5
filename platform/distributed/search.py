"""Search on Ray: Ray Tune runs the trials, Optuna proposes and prunes them. A trial's folds are its steps.

Trials are threads of this process, for they only wait; their fold runs are Ray tasks.

The Optuna study is the authority on the search, the results store on fold runs. Tune's own state is
discarded (platform/distributed/study_search.py).
"""

from __future__ import annotations

import dataclasses
import gc
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import TrialState
from ray import tune

from platform.config.configuration import Configuration, replace
from platform.config.objectives import pareto_front
from platform.distributed.studies import PruningScheduler, Studies
from platform.distributed.study_search import StudySearch
from platform.distributed.travel import travelling
from platform.distributed.trial import TrialContext
from platform.distributed.trial_threads import trials_in_threads
from platform.errors import UserError
from platform.experiments.method_search import MethodSearch
from platform.monitoring.observer import SearchObserver
from platform.runs.environment_failure import EnvironmentFailure
from platform.runs.fold_tasks import PlannedData
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.definition import SearchDefinition
from platform.search.extension import record_wanted
from platform.search.invalid_trials import ATTRIBUTE, MOST_IN_A_ROW
from platform.search.savings import SearchedTrial


def run_search(
    searches: Sequence[MethodSearch],
    definitions: Sequence[SearchDefinition],
    *,
    dispatcher: Any,
    store: ResultsStore,
    storage: optuna.storages.BaseStorage,
    planned: PlannedData,
    observer: SearchObserver | None = None,
    extend: int = 0,
) -> list[StudySearch]:
    """Run every study of the searches to completion, side by side; `observer` is notified of every trial.

    `definitions`: of each search. `extend`: trials by which finished searches are being extended; already
    included in their plans. Returns the studies in order of searches and scopes.

    Raises KeyboardInterrupt if Tune was stopped earlier. UserError: a study was created with other settings
    or contradicts its stored fold runs, the space's file is invalid, too many consecutive proposals were
    invalid, no trial is complete, or the environment (a lost worker, a full disk) or an error of the program
    prevented a trial from running, which then stays open.
    """
    search = Studies(
        [
            StudySearch(
                dataclasses.replace(definition, name=definition.name + scope.suffix),
                storage=storage,
                store=store,
                base=one.base,
                plan=one.plan,
                planned=planned,
                scope=scope,
                observer=observer,
            )
            for one, definition in zip(searches, definitions, strict=True)
            for scope in one.scopes
        ]
    )
    _check_recorded(search, dispatcher)
    first, *baselines = searches
    of_baselines = baselines[0].plan.trials if baselines else 0
    record_wanted(search.searches[0].study, first.plan.trials, extend, of_baselines)
    for one in search.searches:
        one.recorded.observe(one.observer)
    if not search.is_finished():
        context = TrialContext(
            dispatcher=dispatcher, searches=tuple(searches), planned=planned, runs_root=store.root
        )
        _run_trials(search, context, sum(one.plan.trials * len(one.scopes) for one in searches))
    for one in search.searches:
        _check_valid(one)
    if not search.is_finished():
        raise KeyboardInterrupt
    for one in search.searches:
        _check_complete(one, store)
    return list(search.searches)


def _check_recorded(search: Studies, dispatcher: Any) -> None:
    """Verify the recorded trials against the stored fold runs; missing fold runs are run again.

    UserError as `RecordedTrials.missing_runs` and `check`.
    """
    import ray

    missing = [task for one in search.searches for task in one.recorded.missing_runs()]
    if missing:
        ray.get(dispatcher.run.remote(*travelling(missing)))
    for one in search.searches:
        one.recorded.check()


def _check_valid(search: StudySearch) -> None:
    """UserError if the space's file is invalid, too many consecutive proposals were invalid, or the
    environment ended the search."""
    if isinstance(search.fault, EnvironmentFailure):
        raise UserError(
            f"the search {search.definition.name} ended early: {search.fault}. Finished results are kept; "
            f"remove the cause and run the same command again to continue."
        )
    if search.fault:
        raise search.fault
    reason = search.lost_by()
    if reason:
        raise UserError(
            f"the search space must suggest valid configurations, but {MOST_IN_A_ROW} in a row of study "
            f"{search.definition.name} were invalid; the last: {reason} Correct the space (--space) and pass "
            f"a new --name."
        )


def _check_complete(search: StudySearch, store: ResultsStore) -> None:
    """UserError if no trial has a score."""
    trials = search.study.get_trials(deepcopy=False)
    if any(trial.state == TrialState.COMPLETE for trial in trials):
        return
    invalid = sum(ATTRIBUTE in trial.user_attrs for trial in trials)
    aside = f" ({invalid} had an invalid configuration)" if invalid else ""
    raise UserError(
        f"all {len(trials)} trials of study {search.definition.name} failed{aside}; the tracebacks are in "
        f"the manifests under {store.root / 'fold_runs'}. Remove the cause, then pass a new --name to search "
        f"again, or a higher --trials to continue."
    )


def _run_trials(search: Studies, context: TrialContext, trials: int) -> None:
    """Run Ray Tune until the search returns FINISHED or Tune is stopped."""
    with tempfile.TemporaryDirectory(prefix="tune-") as folder, trials_in_threads(context) as trainable:
        tuner = tune.Tuner(
            trainable,
            tune_config=tune.TuneConfig(
                search_alg=search, scheduler=PruningScheduler(search), num_samples=trials
            ),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=folder,
                verbose=0,
                # The results store has what trials have done.
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        )
        tuner.fit()
    # Collect now rather than during the final folds: a Ctrl-C while Tune's objects are being deleted is lost.
    gc.collect()


def described_trials(search: StudySearch) -> list[dict[str, Any]]:
    """The study's trials for experiment.json: number, state, parameters, score, values, folds, runs.

    `values`: of all objectives; `invalid`: why the configuration is invalid, or empty; `failed`: why a fold
    run of the trial failed, or empty.
    """
    described = []
    front = front_of(search)
    for trial in search.study.get_trials(deepcopy=False):
        if not trial.state.is_finished():
            continue
        tasks = search.tasks(trial.number)
        runs: list[dict[str, Any]] = [
            {"fold": fold, "part": part, "identity": task.identity}
            for (fold, part), task in zip(search.scope.steps, tasks, strict=bool(tasks))
            if search._store.is_complete("fold_runs", task.identity)
        ]
        complete = trial.state == TrialState.COMPLETE
        described.append(
            {
                "number": trial.number,
                "state": trial.state.name,
                "params": trial.user_attrs["overrides"],
                "score": trial.values[0] if complete else search.scores(trial.number).mean_or_none,
                "values": dict(zip(search.objectives, trial.values, strict=True)) if complete else {},
                "on_front": trial.number in front,
                "invalid": trial.user_attrs.get(ATTRIBUTE, ""),
                "failed": _failure(search._store, tasks) if trial.state == TrialState.FAIL else "",
                "folds": trial.user_attrs["folds"],
                "runs": sorted(runs, key=lambda run: (run["fold"], run["part"] or 0)),
            }
        )
    return described


def _failure(store: ResultsStore, tasks: Sequence[FoldTask]) -> str:
    """The last line of the first failed fold run's traceback, and the file with the whole traceback."""
    for task in tasks:
        manifest = store.manifest("fold_runs", task.identity)
        if manifest is not None and manifest["status"] != "complete":
            reason = manifest["traceback"].strip().splitlines()[-1]
            where = store.folder("fold_runs", task.identity) / "manifest.json"
            return f"fold {task.fold_index}: {reason} ({where})"
    return "it could not be measured, or the fold run has succeeded since" if tasks else ""


def searched_trials(search: StudySearch) -> list[SearchedTrial]:
    """The study's ended trials with their fold runs, for the savings."""
    return [
        SearchedTrial(
            tasks=tuple(search.tasks(trial.number)),
            done=trial.user_attrs["folds"],
            pruned=trial.state == TrialState.PRUNED,
        )
        for trial in search.study.get_trials(deepcopy=False)
        if trial.state.is_finished() and ATTRIBUTE not in trial.user_attrs
    ]


def front_of(search: StudySearch) -> list[int]:
    """The Pareto front: numbers of the complete trials that no other dominates, the most accurate first."""
    trials = search.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return pareto_front({trial.number: trial.values for trial in trials}, search.objectives)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The choice of a study."""

    trial: int
    trials: int
    """Number of trials that it was chosen from."""
    score: float
    """Mean accuracy of the trial's fold runs, in [0, 1]; the criterion of the choice."""
    configuration: Configuration


def winner(search: StudySearch) -> Choice:
    """The most accurate complete trial of the front; the earlier one wins a tie."""
    number = front_of(search)[0]
    best = search.study.get_trials(deepcopy=False)[number]
    return Choice(
        trial=number,
        trials=search.wanted,
        score=float(best.values[0]),
        configuration=replace(search._base, **best.user_attrs["overrides"]),
    )
