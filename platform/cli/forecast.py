"""Forecast of `--dry-run`: fold runs, cached ones, resources, time, memory and disk."""

from __future__ import annotations

from datasets.prepared.merged_names import SET_SEPARATOR
from platform.distributed.cluster import Slots, local_slots
from platform.experiments.capacity import free_disk_bytes, needs, runs_in_memory
from platform.experiments.estimate import wanted_gflop
from platform.experiments.experiment import Experiment, ahead, final_rows, rows_if_chosen
from platform.experiments.rows import all_tasks
from platform.host.durations import duration
from platform.host.machine_limits import machine_memory_bytes
from platform.runs.cost import GFLOP_A_SECOND_AND_CORE
from platform.runs.footprint import gibibytes


def resources(experiment: Experiment, *, search: bool) -> str:
    """Where fold runs will run, and how many at once."""
    if experiment.address is not None:
        return (
            f"the Ray cluster at {experiment.address}, of which a dry run asks only whether it could run this"
        )
    return _slots(experiment, search=search).describe()


def _slots(experiment: Experiment, *, search: bool) -> Slots:
    return local_slots(experiment.plan, runs_in_memory(experiment, search=search))


def forecast(experiment: Experiment, *, search: bool) -> list[str]:
    """Lines for the screen. The time is arithmetic divided by an assumed speed, as its line states."""
    lines = []
    groups = wanted_gflop(experiment, search=search)
    for group, costs in groups.items():
        lines.append(f"{group}: up to {len(costs)} runs, {sum(costs):,.0f} GFLOP")
    if search:
        first = {one.method: ahead(experiment, one)[0] for one in experiment.searches}
        tasks = all_tasks(rows_if_chosen(experiment, first))
    else:
        tasks = all_tasks(final_rows(experiment, experiment.configuration))
    missing = _not_prepared(experiment)
    lines += missing
    cached = sum(experiment.store.is_complete("fold_runs", task.identity) for task in tasks)
    whose = "first configuration" if search else "configuration"
    known = "; unknown for data that are not prepared yet" if missing else ""
    lines.append(f"cached: {cached} of {len(tasks)} final runs of the {whose}{known}")
    total = sum(map(sum, groups.values()))
    lines += [
        _time(experiment, total, search=search),
        *_memory_and_disk(experiment, search=search),
        f"Ray Train: {_train(experiment)}",
    ]
    return lines


def _not_prepared(experiment: Experiment) -> list[str]:
    """Data that a real start would prepare first."""
    lines = []
    for planned in experiment.all_data:
        if not planned.is_prepared:
            name = planned.data.dataset
            makes = "merges these data sets" if SET_SEPARATOR in name else "draws and prepares it"
            faces = sum(planned.images_of_subject.values())
            lines.append(
                f"data: {name} at {planned.size_pixels} px is not prepared; a real start {makes} first "
                f"({faces:,} faces)"
            )
    return list(dict.fromkeys(lines))


def _time(experiment: Experiment, gflop: float, *, search: bool) -> str:
    if experiment.plan.gpus_per_run or experiment.address is not None:
        return (
            "time: only estimated for CPUs of this machine; see it with --gpus-per-run 0, without --address"
        )
    slots = _slots(experiment, search=search)
    cores = (slots.fold_runs or 1) * experiment.plan.cpus_per_run * max(1, experiment.plan.train_workers)
    proposals = " and proposals resemble random samples of the space" if search else ""
    seconds = gflop / (GFLOP_A_SECOND_AND_CORE * cores)
    return (
        f"time: about {duration(seconds)} on {cores} cores, if each computes "
        f"{GFLOP_A_SECOND_AND_CORE:g} GFLOP/s{proposals}; pruning and cached results shorten it"
    )


def _memory_and_disk(experiment: Experiment, *, search: bool) -> list[str]:
    wanted = needs(experiment, search=search)
    among = f", the maximum over {wanted.configurations} configurations" if search else ""
    machine = "" if experiment.address else f"; this machine has {gibibytes(machine_memory_bytes())}"
    if experiment.plan.gpus_per_run:
        machine = ", in the memory of its GPU"
    free = free_disk_bytes(experiment.store.root)
    return [
        f"memory: peak of about {gibibytes(wanted.memory_a_run)} per fold run{among} (estimate: weights, "
        f"Adam's moments, activations){machine}",
        f"disk: at most about {gibibytes(wanted.results)} of new results, and "
        f"{gibibytes(wanted.checkpoints_a_run)} of checkpoints per running fold run; {gibibytes(free)} free",
    ]


def _train(experiment: Experiment) -> str:
    workers = experiment.plan.train_workers
    if workers > 1:
        return f"{workers} workers per fold run share every batch (15 to 40 s to start)"
    if workers:
        return f"{workers} separate worker per fold run (15 to 30 s to start)"
    return "local mode in running workers"
