"""Hours and cost of an experiment on a cluster, from its arithmetic and a pace measured or assumed."""

from __future__ import annotations

from platform.errors import UserError
from platform.experiments.experiment import Experiment, all_tasks
from platform.runs.cost import GFLOP_A_SECOND_AND_CORE
from platform.runs.tasks import FoldTask, Stage1Task


def estimate_lines(experiment: Experiment, slots: str | None, price: str | None) -> list[str]:
    """Lines for a person: hours on `slots` fold runs at once, cost at `price` an hour. UserError."""
    tasks = every_task(experiment)
    pace, source = pace_of(experiment, tasks)
    left = [task for task in tasks if not experiment.store.is_complete(task.kind, task.identity)]
    gflop = [task.gflop for task in left]
    count = _positive(slots or "1", "--cluster-slots", whole=True)
    # The longest chain, a fold run after its stage 1, bounds what more slots can bring.
    hours = max(sum(gflop) / (pace * count), max(gflop, default=0.0) / pace) / 3600
    lines = [
        f"estimate: {len(left)} of {len(tasks)} runs to do, {hours:.2f} hours on {count:g} fold runs at "
        f"once, at {pace:.3g} GFLOP/s a run ({source})"
    ]
    if price is not None:
        cost = hours * _positive(price, "--price-per-hour")
        lines.append(f"cost: about {cost:.2f} at {price} an hour for the whole cluster")
    return lines


def every_task(experiment: Experiment) -> list[FoldTask | Stage1Task]:
    """The rows' fold runs and their stage-1 runs, each once."""
    tasks: dict[str, FoldTask | Stage1Task] = {}
    for task in all_tasks(experiment.rows):
        tasks[task.identity] = task
        if task.stage1 is not None:
            tasks[task.stage1.identity] = task.stage1
    return list(tasks.values())


def pace_of(experiment: Experiment, tasks: list[FoldTask | Stage1Task]) -> tuple[float, str]:
    """GFLOP a second of one run, and where the number is from: finished runs of this experiment, or the
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
