"""What `--dry-run` says: fold runs, what is there already, and how long the rest may take."""

from __future__ import annotations

from platform.distributed.cluster import local_slots
from platform.distributed.progress import clock
from platform.results.cost import GFLOP_A_SECOND_AND_CORE
from platform.results.experiment_plan import Experiment, all_tasks, final_rows, wanted_gflop


def forecast(experiment: Experiment, *, search: bool) -> list[str]:
    """Lines for a person. The time is arithmetic over an assumed pace, and says so."""
    lines = []
    groups = wanted_gflop(experiment, search=search)
    for group, costs in groups.items():
        lines.append(f"{group}: up to {len(costs)} runs, {sum(costs):,.0f} GFLOP")
    tasks = all_tasks(final_rows(experiment, experiment.configuration))
    there = sum(experiment.store.is_complete("fold_runs", task.identity) for task in tasks)
    lines.append(f"already there: {there} of {len(tasks)} final runs of the starting configuration")
    slots = local_slots(experiment.plan)
    total = sum(map(sum, groups.values()))
    if experiment.plan.gpus_per_run:
        lines.append("time: not estimated for a GPU; --gpus-per-run 0 estimates this machine's CPUs")
    else:
        cores = (slots.fold_runs or 1) * experiment.plan.cpus_per_run * max(1, experiment.plan.train_workers)
        seconds = total / (GFLOP_A_SECOND_AND_CORE * cores)
        lines.append(
            f"time: at most about {clock(seconds)} on {cores} cores, if each does "
            f"{GFLOP_A_SECOND_AND_CORE:g} "
            f"GFLOP/s; pruning and results that are there make it shorter"
        )
    lines.append(f"Ray Train: {_train(experiment)}")
    return lines


def _train(experiment: Experiment) -> str:
    workers = experiment.plan.train_workers
    if workers > 1:
        return f"{workers} workers a fold run share every batch (some 15 to 40 s to start)"
    if workers:
        return f"{workers} worker of its own a fold run (some 15 to 30 s each to start)"
    return "local mode in warm workers"
