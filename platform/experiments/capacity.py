"""Memory and disk that an experiment needs, compared with what this machine has."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from platform.config.configuration import Configuration, to_dict
from platform.errors import UserError
from platform.experiments.experiment import Experiment, ahead, rows_if_chosen
from platform.experiments.rows import all_tasks
from platform.host.machine_limits import machine_memory_bytes
from platform.runs.fold_tasks import machine_of, step_tasks
from platform.runs.footprint import Footprint, footprint, gibibytes
from platform.runs.host_memory import host_memory_bytes
from platform.runs.tasks import ArtifactTask, FoldTask, trained_artifacts
from platform.search.preview import trials_to_run

SPARE_BYTES = 2**29
"""Disk space left for everything else: tables, figures, Ray's own log."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Upper bounds of an experiment's memory and disk space, in bytes."""

    memory_a_run: float
    least_memory_a_run: float
    results: float
    """Of all runs that are not cached."""
    checkpoints_a_run: float
    configurations: int
    """Configurations over which the memory is the maximum."""


def needs(experiment: Experiment, *, search: bool) -> Needs:
    """Memory of the largest run and bytes of all runs that are not cached. Arithmetic: see Footprint."""
    store, machine = experiment.store, machine_of(experiment.plan)
    tried = _tried(experiment, search=search)
    prints = _all_prints(tried)
    # The final runs are of the configuration with the largest results.
    largest = {
        method: max(each, key=lambda one: max(of_run.result for of_run in one[1]))[0]
        for method, each in tried.items()
    }
    tasks: list[FoldTask] = []
    results = 0.0
    for one in experiment.searches if search else ():
        inner = step_tasks(largest[one.method], experiment.planned, machine, one.steps)
        results += trials_to_run(one.plan, one.base) * sum(footprint(task).result for task in inner)
        tasks += inner
    final = all_tasks(rows_if_chosen(experiment, largest))
    results += sum(footprint(t).result for t in final if not store.is_complete("fold_runs", t.identity))
    tasks += final
    artifacts = trained_artifacts(tasks).values()
    results += sum(footprint(t).result for t in artifacts if not store.is_complete(t.kind, t.identity))
    return Needs(
        memory_a_run=max(one.memory for one in prints),
        least_memory_a_run=max(one.least_memory for one in prints),
        results=results,
        checkpoints_a_run=max(one.checkpoints for one in prints),
        configurations=sum(map(len, tried.values())),
    )


Tried = Mapping[str, Sequence[tuple[Configuration, Sequence[Footprint]]]]
"""Searched method to configurations that represent its search, each with the footprints of its first runs."""


def _tried(experiment: Experiment, *, search: bool) -> Tried:
    """Without a search, the method's own configuration alone."""
    return {
        one.method: [
            (configuration, _first_prints(experiment, configuration))
            for configuration in (ahead(experiment, one) if search else [one.base])
        ]
        for one in (experiment.searches if search else experiment.searches[:1])
    }


def _all_prints(tried: Tried) -> list[Footprint]:
    return [of_run for each in tried.values() for _, prints in each for of_run in prints]


def _first_prints(experiment: Experiment, configuration: Configuration) -> list[Footprint]:
    return [footprint(task) for task in _first_tasks(experiment, configuration)]


def _first_tasks(experiment: Experiment, configuration: Configuration) -> list[FoldTask | ArtifactTask]:
    """The configuration's run on the first fold, and the artifacts that it rests on."""
    (first,) = step_tasks(configuration, experiment.planned, machine_of(experiment.plan), [(0, None)])
    return [first, *trained_artifacts([first]).values()]


def largest_task(experiment: Experiment, *, search: bool) -> FoldTask | ArtifactTask:
    """The run or artifact with the largest memory, over the configurations that represent a search and the
    rows that are known in advance. Arithmetic: see Footprint."""
    tasks: list[FoldTask | ArtifactTask] = []
    for one in experiment.searches if search else experiment.searches[:1]:
        for configuration in ahead(experiment, one) if search else [one.base]:
            tasks += _first_tasks(experiment, configuration)
    final = all_tasks(rows_if_chosen(experiment, {}))
    tasks += [*final, *trained_artifacts(final).values()]
    return max(tasks, key=lambda task: footprint(task).memory)


def check_capacity(experiment: Experiment, *, search: bool) -> None:
    """Refuse an experiment that cannot fit on this machine. The memory of a cluster is not checked.

    UserError: one run's weights, Adam's moments and kept activations exceed the memory, or all results
    exceed the free disk.
    """
    wanted = needs(experiment, search=search)
    free = free_disk_bytes(experiment.store.root)
    if wanted.results + SPARE_BYTES > free:
        raise UserError(
            f"the results may take up to {gibibytes(wanted.results)} (estimate: weights of final runs, "
            f"pictures and predictions), and {gibibytes(SPARE_BYTES)} should stay free, but "
            f"{experiment.store.root} has {gibibytes(free)} free; pass --runs a folder with more, or fewer "
            f"--trials, --folds or --seeds."
        )
    if experiment.address is not None or experiment.plan.gpus_per_run:
        return
    memory = machine_memory_bytes()
    if wanted.least_memory_a_run > memory:
        sizes = [name for name in to_dict(experiment.configuration) if name.endswith("_batch_size")]
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in sizes)
        raise UserError(
            f"a fold run needs at least {gibibytes(wanted.least_memory_a_run)} of memory (estimate: weights, "
            f"Adam's moments and the activations that the backward pass needs), but this machine has "
            f"{gibibytes(memory)}; pass a smaller {flags} or --image-size-pixels, or "
            "--precision bf16."
        )


def free_disk_bytes(folder: Path) -> int:
    """Free bytes for this user on the disk of `folder`, which need not exist."""
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(existing).free


def runs_in_memory(experiment: Experiment, *, search: bool) -> int | None:
    """Estimated number of fold runs that fit into this machine's memory at once; at least one.

    On a GPU this is the memory of the host, which holds no net. None if unknown: on a cluster.
    """
    if experiment.address is not None:
        return None
    workers = max(1, experiment.plan.train_workers)
    if experiment.plan.gpus_per_run:
        memory_a_run: float = host_memory_bytes(largest_task(experiment, search=search))
    else:
        memory_a_run = max(one.memory for one in _all_prints(_tried(experiment, search=search)))
    return max(1, int(machine_memory_bytes() // (memory_a_run * workers)))
