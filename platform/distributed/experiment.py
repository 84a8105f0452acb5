"""Running an experiment: search, then all final fold runs at once, on Ray."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from platform.config import Configuration
from platform.distributed.cluster import connected
from platform.distributed.dispatcher import start_dispatcher
from platform.distributed.progress import Progress, displayed
from platform.errors import UserError
from platform.results.experiment_plan import (
    Experiment,
    all_tasks,
    describe_experiment,
    final_rows,
    image_counts,
    wanted_gflop,
    write_settings,
)
from platform.results.tasks import FoldTask


def run_experiment(experiment: Experiment, *, search: bool) -> dict[str, Any]:
    """Run what is missing, and return (and store) what experiment.json holds.

    Raises UserError when fold runs failed, after everything else has finished.
    """
    plan = experiment.plan
    with led(experiment.folder), connected(plan, experiment.folder / "ray.log", experiment.address) as slots:
        import ray

        write_settings(experiment)
        dispatcher = start_dispatcher(plan, experiment.store.root, slots.fold_runs, image_counts(experiment))
        progress = Progress(slots.fold_runs or int(slots.cpus // plan.cpus_per_run) or 1)
        _expect(progress, experiment, search=search)
        with displayed(progress, lambda known: ray.get(dispatcher.snapshot.remote(known))):
            study, chosen = None, experiment.configuration
            if search:
                progress.phase = "search"
                study, chosen = _search(experiment, dispatcher, progress)
            progress.phase = "final folds"
            rows = final_rows(experiment, chosen)
            # Before the runs: `platform.table --partial` can show an experiment that was stopped.
            content = describe_experiment(experiment, rows, study)
            manifests = ray.get(dispatcher.run.remote(all_tasks(rows)))
        _refuse_failures(experiment, all_tasks(rows), manifests)
    return content


def _search(
    experiment: Experiment, dispatcher: Any, progress: Progress
) -> tuple[dict[str, Any], Configuration]:
    from platform.distributed.search import described_trials, run_search, search_settings, winner
    from platform.results.study import definition_of_space

    definition = definition_of_space(
        experiment.plan.space,
        experiment.configuration,
        name=experiment.name,
        settings=search_settings(experiment.configuration, experiment.plan, experiment.planned),
    )
    storage_path = experiment.folder / "study.journal"
    search = run_search(
        definition,
        dispatcher=dispatcher,
        store=experiment.store,
        storage_path=storage_path,
        base=experiment.configuration,
        plan=experiment.plan,
        planned=experiment.planned,
        order=experiment.order,
    )
    number, chosen = winner(search)
    trials = described_trials(search)
    best = next(trial for trial in trials if trial["number"] == number)
    progress.best = f"chosen: trial {number} ({chosen.backbone}), inner accuracy {best['score']:.1%}"
    progress.expect("inner", sum(trial["folds"] for trial in trials), 0.0)
    study = {
        "name": experiment.name,
        "storage": str(storage_path),
        "objective": "inner accuracy, mean of folds",
        "winner": number,
        "trials": trials,
    }
    return study, chosen


def _expect(progress: Progress, experiment: Experiment, *, search: bool) -> None:
    """Upper bounds for the display: nothing pruned, nothing there yet."""
    for group, costs in wanted_gflop(experiment, search=search).items():
        progress.expect(group, len(costs), sum(costs) / len(costs))


def _refuse_failures(
    experiment: Experiment, tasks: Sequence[FoldTask], manifests: Sequence[dict[str, Any]]
) -> None:
    failed = [(task, m) for task, m in zip(tasks, manifests, strict=True) if m["status"] != "complete"]
    if failed:
        task, manifest = failed[0]
        reason = manifest["traceback"].strip().splitlines()[-1]
        where = experiment.store.folder("fold_runs", task.identity) / "manifest.json"
        raise UserError(
            f"{len(failed)} of {len(tasks)} fold runs failed, the first in fold {task.fold_index} "
            f"({task.record['method']}): {reason} Its traceback is in {where}; what succeeded is kept, and "
            f"running the same command again tries the failed ones again."
        )


@contextmanager
def led(folder: Path) -> Iterator[None]:
    """Lead the experiment for the length of the block; a second driver on this machine is refused.

    The lock is the kernel's and goes with the process, however it ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "driver.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UserError(
                f"one driver may lead an experiment, but {file.read().strip() or 'another'} "
                f"leads {folder.name}; "
                f"wait for it, end it, or pass another --name."
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield
