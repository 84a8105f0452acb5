"""Arithmetic, hours and cost of an experiment, at a pace that is measured or assumed."""

from __future__ import annotations

from platform.config.configuration import Configuration
from platform.config.settings_source import OWN_SEARCH
from platform.errors import UserError
from platform.experiments.experiment import Experiment, ahead, final_rows, rows_if_chosen
from platform.experiments.rows import all_tasks
from platform.host.durations import duration
from platform.runs.cost import GFLOP_A_SECOND_AND_CORE
from platform.runs.fold_tasks import machine_of, step_tasks
from platform.runs.tasks import ArtifactTask, FoldTask, trained_artifacts
from platform.search.preview import trials_to_run


def wanted_gflop(experiment: Experiment, *, search: bool) -> dict[str, list[float]]:
    """GFLOP of every run that may be wanted, by group: `inner`, `final`, titles of artifacts.

    The configurations of a search are not known in advance: its trials are taken in turn from
    `ahead`, and the costliest one represents the final runs.
    """
    tasks: list[FoldTask] = []
    inner: list[float] = []
    costliest: dict[str, Configuration] = {}
    for one in experiment.searches if search else ():
        trials = trials_to_run(one.plan, one.base)
        costs = []
        tried = ahead(experiment, one)[:trials]
        for configuration in tried:
            searched = step_tasks(configuration, experiment.planned, machine_of(one.plan), one.steps)
            costs.append([task.gflop for task in searched])
            tasks += searched
        inner += [cost for number in range(trials) for cost in costs[number % len(costs)]]
        costliest[one.method] = max(zip(map(sum, costs), tried, strict=True), key=lambda pair: pair[0])[1]
    rows = (
        rows_if_chosen(experiment, costliest) if search else final_rows(experiment, experiment.configuration)
    )
    tasks += all_tasks(rows)
    groups = {"final": [task.gflop for task in all_tasks(rows)], "inner": inner}
    if search and experiment.plan.selection_rule == "test":
        # A search's best trial has already completed its final runs, with the search's own seed.
        seed_of = {one.method: one.base.seed for one in experiment.searches}
        left = [
            row
            for row in rows
            if row.settings.whose != OWN_SEARCH
            or row.kind == "transfer"
            or row.configurations[0].seed != seed_of[row.configurations[0].method]
        ]
        groups = {"final": inner + [task.gflop for task in all_tasks(left)]}
    for artifact in trained_artifacts(tasks).values():
        groups.setdefault(artifact.artifact.title, []).append(artifact.gflop)
    return {group: costs for group, costs in groups.items() if costs}


def estimate_lines(experiment: Experiment, slots: str | None, price: str | None) -> list[str]:
    """Lines of a dry run: hours with `slots` fold runs at once, cost at `price` per hour.

    UserError: either is not a positive number.
    """
    tasks = every_task(experiment)
    pace, source = pace_of(experiment, tasks)
    left = [task for task in tasks if not experiment.store.is_complete(task.kind, task.identity)]
    gflop = [task.gflop for task in left]
    count = _positive(slots or "1", "--cluster-slots", whole=True)
    # More slots do not shorten the longest chain: a fold run after its artifacts.
    hours = max(sum(gflop) / (pace * count), max(gflop, default=0.0) / pace) / 3600
    at_once = "1 fold run" if count == 1 else f"{count:g} fold runs"
    more = "; --cluster-slots for more" if slots is None else ""
    lines = [
        f"estimate: {len(left)} of {len(tasks)} runs remaining, {duration(3600 * hours)} with {at_once} at "
        f"once and {pace:.3g} GFLOP/s per run ({source}{more})"
    ]
    if price is not None:
        cost = hours * _positive(price, "--price-per-hour")
        lines.append(f"cost: about {cost:.2f} at {price} per hour for the whole cluster")
    return lines


def every_task(experiment: Experiment) -> list[FoldTask | ArtifactTask]:
    """The rows' fold runs and the artifacts that train, without duplicates."""
    tasks: dict[str, FoldTask | ArtifactTask] = {}
    for task in all_tasks(experiment.rows):
        tasks[task.identity] = task
        tasks |= trained_artifacts([task])
    return list(tasks.values())


def pace_of(experiment: Experiment, tasks: list[FoldTask | ArtifactTask]) -> tuple[float, str]:
    """GFLOP per second of one run, and the source of the number: finished runs of this experiment, or the
    assumption for a CPU core."""
    done = seconds = 0.0
    finished = 0
    for task in tasks:
        manifest = experiment.store.manifest(task.kind, task.identity)
        if manifest is not None and manifest["status"] == "complete":
            done += task.gflop
            seconds += manifest["seconds"]
            finished += 1
    if seconds > 0:
        return done / seconds, f"measured on {finished} finished runs of this experiment"
    cores = experiment.plan.cpus_per_run
    return GFLOP_A_SECOND_AND_CORE * cores, f"assumed for {cores} CPU core{'s' * (cores > 1)}, not measured"


def _positive(text: str, flag: str, *, whole: bool = False) -> float:
    try:
        value = float(int(text)) if whole else float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise UserError(f"{flag} takes a {'whole ' * whole}number above 0, but got {text!r}.")
    return value
