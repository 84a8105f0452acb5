"""One trial: the fold runs of one configuration, in rounds, and what it reports to Ray Tune."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform.config.configuration import Configuration, Plan, replace
from platform.config.selection import default_rounds
from platform.distributed.dispatcher import LOST
from platform.distributed.lost_workers import environment_failure_of
from platform.distributed.recorded_trials import trial_tasks
from platform.distributed.study_search import METRIC, UNABLE
from platform.distributed.travel import travelling
from platform.experiments.method_search import MethodSearch, search_of_study
from platform.runs.environment_failure import EnvironmentFailure, sentence_of
from platform.runs.fold_tasks import PlannedData, machine_of
from platform.runs.model_measures import measures
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.inner_scores import inner_scores
from platform.search.pruning import why_unpruned
from platform.search.trial_values import MEASURED

Answer = Callable[..., Any]
"""(a function that returns Ray's reference, its arguments) -> the value, once it is there. Raises the task's
exception, or CancelledError if the trial was ended."""


@dataclass(frozen=True, kw_only=True)
class TrialContext:
    """What all trials of a search share."""

    dispatcher: Any
    """The RayDispatcher's handle."""
    searches: Sequence[MethodSearch]
    """Those that a trial's configuration names one study of."""
    planned: PlannedData
    runs_root: Path


def trial_reports(config: dict[str, Any], context: TrialContext, answer: Answer) -> Iterator[dict[str, Any]]:
    """Run the folds of a configuration in rounds; yield the mean accuracy after each.

    config: as `StudySearch.suggest` returns it.

    Ends at a failed fold run: a configuration with a failed fold has no score. If the environment prevents it
    from running (platform/runs/environment_failure.py), or an error of the program, the last report has the
    reason under UNABLE, and the trial stays open. CancelledError: the trial was ended.
    """
    # Reported, not raised, so that the user reads a sentence instead of Tune's traceback.
    try:
        yield from _round_reports(config, context, answer)
    except CancelledError:
        raise
    except Exception as error:
        failure = environment_failure_of(error)
        if failure is None:
            logging.getLogger("platform").exception("trial %s%s", config["number"], config["study"])
        reason = str(failure) if failure is not None else f"{sentence_of(error)} (traceback in ray.log)"
        yield {METRIC: math.nan, "folds": 0, "failed_folds": 0, UNABLE: reason}


def _round_reports(config: dict[str, Any], context: TrialContext, answer: Answer) -> Iterator[dict[str, Any]]:
    import ray

    search, scope = search_of_study(context.searches, config["study"])
    base, plan, planned = search.base, search.plan, context.planned
    tasks = trial_tasks(base, config["overrides"], planned, plan, scope)
    store = ResultsStore(context.runs_root)

    def ask(part: Sequence[FoldTask]) -> Any:
        return context.dispatcher.run.remote(*travelling(part))

    done = 0
    for size in rounds(plan, len(tasks)):
        manifests = answer(ask, tasks[done : done + size])
        failed = [
            task.fold_index
            for task, m in zip(tasks[done:], manifests, strict=False)
            if m["status"] != "complete"
        ]
        unable = next((m["reason"] for m in manifests if m["status"] == LOST), "")
        if unable:
            raise EnvironmentFailure(unable)
        if failed:
            yield {METRIC: math.nan, "folds": done, "failed_folds": len(failed)}
            return
        done += size
        accuracy = inner_scores(store, tasks[:done]).mean_of_steps
        measured: dict[str, float] = {}
        try:
            if done == len(tasks):
                measured = _measured(config["overrides"], base, plan, planned, answer)
        except ray.exceptions.RayTaskError as error:
            if environment_failure_of(error) is not None:
                raise
            # This configuration's network cannot be measured, so it has no score, as with a failed fold.
            yield {METRIC: math.nan, "folds": done, "failed_folds": 1}
            return
        yield {METRIC: accuracy, "folds": done, "failed_folds": 0, **measured}


def _measured(
    overrides: dict[str, Any], base: Configuration, plan: Plan, planned: PlannedData, answer: Answer
) -> dict[str, float]:
    """Objectives measured on the network itself, by a Ray task with the resources of a fold run."""
    import ray

    names = tuple(name for name in plan.objectives if name in MEASURED)
    if not names:
        return {}
    remote: Any = ray.remote
    measure = remote(measures).options(num_cpus=plan.cpus_per_run, num_gpus=plan.gpus_per_run)
    configuration, machine = replace(base, **overrides), machine_of(plan)
    found: dict[str, float] = answer(
        measure.remote,
        names,
        configuration,
        len(planned.data.class_names),
        device=machine.device,
        cpu_threads=machine.cpu_threads,
    )
    return found


def rounds(plan: Plan, steps: int) -> tuple[int, ...]:
    """Fold runs per round: the plan's, or all at once without pruning."""
    if why_unpruned(plan, steps):
        return (steps,)
    return plan.rounds or default_rounds(steps)
