"""Running an experiment: search, then all final fold runs at once, on Ray."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.config import Configuration, Plan
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

if TYPE_CHECKING:
    from platform.distributed.search import Choice
    from platform.distributed.study_search import StudySearch


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
            studies: list[dict[str, Any]] = []
            chosen, score = [experiment.configuration] * experiment.fold_count, None
            if search:
                progress.phase = "search"
                studies, chosen, score = _search(experiment, dispatcher, progress)
            progress.phase = "final folds"
            rows = final_rows(experiment, chosen, score)
            # Before the runs: `platform.table --partial` can show an experiment that was stopped.
            content = describe_experiment(experiment, rows, studies)
            manifests = ray.get(dispatcher.run.remote(all_tasks(rows)))
        _refuse_failures(experiment, all_tasks(rows), manifests)
    return content


def _search(
    experiment: Experiment, dispatcher: Any, progress: Progress
) -> tuple[list[dict[str, Any]], list[Configuration], float]:
    """The studies as experiment.json holds them, each outer fold's configuration, and their mean score."""
    from platform.distributed.search import run_search, search_settings, winner
    from platform.results.study import definition_of_space

    plan = experiment.plan
    definition = definition_of_space(
        plan.space,
        experiment.configuration,
        name=experiment.name,
        settings=search_settings(experiment.configuration, plan, experiment.planned),
        fixed=plan.fixed,
        enqueued=plan.enqueued,
    )
    storage_path = experiment.folder / "study.journal"
    searches = run_search(
        definition,
        dispatcher=dispatcher,
        store=experiment.store,
        storage_path=storage_path,
        base=experiment.configuration,
        plan=plan,
        planned=experiment.planned,
        scopes=experiment.scopes,
    )
    choices = [winner(search) for search in searches]
    studies = [
        _described(search, choice, plan, storage_path)
        for search, choice in zip(searches, choices, strict=True)
    ]
    progress.best = f"chosen: {_shown_choice(choices)}"
    if plan.selection_rule != "test":
        runs = sum(trial["folds"] for study in studies for trial in study["trials"])
        progress.expect("inner", runs, 0.0)
    chosen = dict.fromkeys(range(experiment.fold_count), choices[0].configuration)
    for scope, choice in zip(experiment.scopes, choices, strict=True):
        chosen.update(dict.fromkeys(scope.outer_folds, choice.configuration))
    score = sum(choice.score for choice in choices) / len(choices)
    return studies, [chosen[fold] for fold in sorted(chosen)], score


OBJECTIVES = {
    "inner": "inner accuracy, mean of folds",
    "nested": "inner accuracy, mean of the fold's five inner parts",
    "test": "accuracy on the test folds (leakage), mean of folds",
}
"""Selection rule to what a study's score is."""


def _described(search: StudySearch, choice: Choice, plan: Plan, storage_path: Path) -> dict[str, Any]:
    from platform.distributed.search import described_trials

    return {
        "name": search.definition.name,
        "storage": str(storage_path),
        "objective": OBJECTIVES[plan.selection_rule],
        "outer_folds": list(search.scope.outer_folds),
        "winner": choice.trial,
        "trials": described_trials(search),
    }


def _shown_choice(choices: Sequence[Choice]) -> str:
    backbones = "/".join(sorted({choice.configuration.backbone for choice in choices}))
    score = sum(choice.score for choice in choices) / len(choices)
    if len(choices) == 1:
        return f"trial {choices[0].trial} ({backbones}), score {score:.1%}"
    return f"a configuration for each of {len(choices)} folds ({backbones}), mean score {score:.1%}"


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
