"""One trial under Ray Tune: the fold runs of one configuration, in rounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ray import tune

from platform.config.configuration import Configuration, Plan, replace
from platform.config.selection import default_rounds
from platform.distributed.dispatcher import LOST
from platform.distributed.lost_workers import environment_failure_of
from platform.distributed.study_search import METRIC, UNABLE, trial_tasks
from platform.distributed.travel import travelling
from platform.experiments.method_search import MethodSearch, search_of_study
from platform.runs.environment_failure import EnvironmentFailure
from platform.runs.fold_tasks import PlannedData, machine_of
from platform.runs.model_measures import measures
from platform.runs.store import ResultsStore
from platform.search.inner_scores import inner_scores
from platform.search.pruning import why_unpruned
from platform.search.trial_values import MEASURED


def run_trial(
    config: dict[str, Any],
    *,
    dispatcher: Any,
    searches: Sequence[MethodSearch],
    planned: PlannedData,
    runs_root: str,
) -> None:
    """Tune's trainable: runs the folds of a configuration in rounds and reports the mean accuracy after each.

    searches: those that `config["study"]` names one study of.

    Ends at a failed fold run: a configuration with a failed fold has no score. If the environment prevents it
    from running (platform/runs/environment_failure.py), it reports the reason under UNABLE and stays open.
    """
    # Reported, not raised: an exception would restart the trial, as a lost process does.
    try:
        _run_rounds(config, dispatcher, searches, planned, runs_root)
    except Exception as error:
        failure = environment_failure_of(error)
        if failure is None:
            raise
        tune.report({METRIC: math.nan, "folds": 0, "failed_folds": 0, UNABLE: str(failure)})


def _run_rounds(
    config: dict[str, Any],
    dispatcher: Any,
    searches: Sequence[MethodSearch],
    planned: PlannedData,
    runs_root: str,
) -> None:
    import ray

    search, scope = search_of_study(searches, config["study"])
    base, plan = search.base, search.plan
    tasks = trial_tasks(base, config["overrides"], planned, plan, scope)
    store = ResultsStore(Path(runs_root))
    done = 0
    for size in rounds(plan, len(tasks)):
        manifests = ray.get(dispatcher.run.remote(*travelling(tasks[done : done + size])))
        failed = [
            task.fold_index
            for task, m in zip(tasks[done:], manifests, strict=False)
            if m["status"] != "complete"
        ]
        unable = next((m["reason"] for m in manifests if m["status"] == LOST), "")
        if unable:
            raise EnvironmentFailure(unable)
        if failed:
            tune.report({METRIC: math.nan, "folds": done, "failed_folds": len(failed)})
            return
        done += size
        accuracy = inner_scores(store, tasks[:done]).mean_of_steps
        try:
            measured = _measured(config["overrides"], base, plan, planned) if done == len(tasks) else {}
        except ray.exceptions.RayTaskError as error:
            if environment_failure_of(error) is not None:
                raise
            # This configuration's network cannot be measured, so it has no score, as with a failed fold.
            tune.report({METRIC: math.nan, "folds": done, "failed_folds": 1})
            return
        tune.report({METRIC: accuracy, "folds": done, "failed_folds": 0, **measured})


def _measured(
    overrides: dict[str, Any], base: Configuration, plan: Plan, planned: PlannedData
) -> dict[str, float]:
    """Objectives measured on the network itself, with the resources of a fold run."""
    import ray

    names = tuple(name for name in plan.objectives if name in MEASURED)
    if not names:
        return {}
    # Outside the trial's placement group, which has no CPU.
    remote: Any = ray.remote
    measure = remote(measures).options(
        num_cpus=plan.cpus_per_run, num_gpus=plan.gpus_per_run, scheduling_strategy="DEFAULT"
    )
    configuration, machine = replace(base, **overrides), machine_of(plan)
    found: dict[str, float] = ray.get(
        measure.remote(
            names,
            configuration,
            len(planned.data.class_names),
            device=machine.device,
            cpu_threads=machine.cpu_threads,
        )
    )
    return found


def rounds(plan: Plan, steps: int) -> tuple[int, ...]:
    """Fold runs per round: the plan's, or all at once without pruning."""
    if why_unpruned(plan, steps):
        return (steps,)
    return plan.rounds or default_rounds(steps)
