"""Start of a command whose fold runs are stored: how long it takes to find what is missing.

    python -m benchmarks.stored_results                        100,000 fold runs of rows, then of a search
    python -m benchmarks.stored_results --runs 10000           fewer
    python -m benchmarks.stored_results --only rows --profile  one of the two, with a profile of each step

Planning, the study, the dispatcher's look-ups and the results store are the real ones; Ray is not started.
The stored fold runs are stand-ins with the same predictions of a few images, written without syncing. All but
ten of the rows' fold runs are stored, so the dispatcher must hand over exactly ten. The folder, of some 2 GB
for 100,000 fold runs, is made anew as --folder and removed at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import io
import json
import os
import pstats
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import FloatDistribution

from benchmarks.many_trials import BASE, FOLDS, SUBJECTS, stand_in, suggest
from platform.cli.parser import Parser
from platform.cli.planning import Request, plan_request
from platform.cli.run_flags import add_run_arguments
from platform.config.configuration import Configuration, Plan, replace
from platform.config.selection import scopes
from platform.distributed.dispatcher import Dispatcher
from platform.evaluation.predictions import counts_in
from platform.experiments.capacity import runs_in_memory
from platform.experiments.description import describe_experiment
from platform.experiments.driver_lease import leading
from platform.experiments.estimate import wanted_gflop
from platform.experiments.experiment import Experiment
from platform.experiments.method_search import MethodSearch
from platform.experiments.rows import PlannedRows, all_tasks, row_of
from platform.files.local_storage import LocalStorage
from platform.inventory.listing import list_experiments
from platform.inventory.status import status_of
from platform.runs.fold_tasks import machine_of, plan_data, step_tasks
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.definition import SearchDefinition
from platform.search.inner_scores import InnerScores
from platform.search.storage import open_storage
from tests.tiny_faces import prepare_tiny

MISSING = 10
NAME = "stored"


class Steps:
    """Wall time, processor time and files read of each step, printed as they end."""

    def __init__(self, *, profile: bool) -> None:
        self._profile = profile
        self._reads = 0
        self.rows: list[dict[str, Any]] = []
        read = LocalStorage.read

        def counted(storage: LocalStorage, path: Path, **options: Any) -> bytes:
            self._reads += 1
            return read(storage, path, **options)

        LocalStorage.read = counted  # type: ignore[method-assign]

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block."""
        reads, profile = self._reads, cProfile.Profile()
        started = (time.monotonic(), time.process_time())
        if self._profile:
            profile.enable()
        yield
        profile.disable()
        wall, processor = time.monotonic() - started[0], time.process_time() - started[1]
        row = {
            "step": name, "seconds": round(wall, 2), "processor_seconds": round(processor, 2),
            "files_read": self._reads - reads,
        }  # fmt: skip
        self.rows.append(row)
        print(json.dumps(row), flush=True)
        if self._profile:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(25)


@contextlib.contextmanager
def unsynced() -> Iterator[None]:
    """Nothing is synced in the block, which makes the stored results in minutes instead of hours."""
    sync = os.fsync
    os.fsync = lambda _: None  # type: ignore[assignment]
    try:
        yield
    finally:
        os.fsync = sync


def store_all(tasks: Sequence[FoldTask], store: ResultsStore, files: dict[Any, dict[str, bytes]]) -> None:
    """Store a stand-in for each task; files: those of earlier calls, by what the predictions depend on."""
    with unsynced():
        for task in tasks:
            key = task.evaluation_subjects
            if key not in files:
                manifest = stand_in(task, str(store.root), 0.0)
                names = [name for name in manifest["sha256"] if name != "record.json"]
                files[key] = {name: store.read(task.kind, task.identity, name) for name in names}
            store.write(task.kind, task.identity, task.record, files[key], seconds=60.0, accuracy=0.5)


def rows_request(plan: Plan, seeds: int) -> Request:
    """A request for a row of ten fold runs for each seed."""

    def planned(base: Configuration, plan: Plan, data_root: Path) -> PlannedRows:
        data = plan_data(data_root, "synthetic", base, plan)
        rows = tuple(row_of(replace(base, seed=seed), data, plan) for seed in range(seeds))
        return PlannedRows(rows=rows, data=(data,))

    return Request(
        command="crossval", name=NAME, configuration=BASE, plan=plan, datasets=("synthetic",),
        plan_rows=planned,
    )  # fmt: skip


def handed_over(tasks: list[FoldTask], runs: Path) -> list[str]:
    """The identities of the tasks that the dispatcher runs; stand-ins are stored for them."""
    launched: list[str] = []

    async def launch(task: Any) -> dict[str, Any]:
        launched.append(task.identity)
        with unsynced():
            return stand_in(task, str(runs), 0.0)

    async def all_of_them() -> None:
        await Dispatcher(str(runs), 8, launch, 0).run(tasks)

    asyncio.run(all_of_them())
    return launched


def start_of_rows(steps: Steps, folder: Path, count: int) -> None:
    """Plan rows whose fold runs are stored, look for the missing ones, and list the experiment."""
    runs, plan = folder / "rows", Plan(folds=FOLDS)
    argv = ["--runs", str(runs), "--data-root", str(folder / "data"), "--name", NAME]
    parser = Parser(prog="crossval")
    add_run_arguments(parser, argv, search=False)
    arguments, request = parser.parse_args(argv), rows_request(plan, count // FOLDS)
    with steps.step("storing the results (no part of a start)"):
        experiment = plan_request(request, arguments, argv)
        store_all(all_tasks(experiment.rows)[MISSING:], ResultsStore(runs), {})
        with leading(experiment.folder):
            describe_experiment(experiment, experiment.rows)
    with steps.step("planning"):
        experiment = plan_request(request, arguments, argv)
    with steps.step("display: expected runs and memory"):
        runs_in_memory(experiment, search=False)
        wanted_gflop(experiment, search=False)
    with leading(experiment.folder), steps.step("experiment.json"):
        describe_experiment(experiment, experiment.rows)
    tasks = all_tasks(experiment.rows)
    with steps.step("dispatcher: what is missing"):
        launched = handed_over(tasks, runs)
    assert len(launched) == MISSING, len(launched)
    after_start(steps, experiment)


def after_start(steps: Steps, experiment: Experiment) -> None:
    """Commands that look at the runs folder."""
    with steps.step("runs ls"), contextlib.redirect_stdout(io.StringIO()):
        list_experiments(experiment.store)
    with steps.step("runs status"):
        status_of(experiment.store, NAME)


def start_of_search(steps: Steps, folder: Path, count: int) -> None:
    """Continue a study whose trials have all ended: verify it against its fold runs."""
    from platform.distributed.search import run_search

    runs, plan = (
        folder / "search",
        Plan(folds=FOLDS, rounds=(4, 3, 3), trials=count // FOLDS, trials_in_flight=8),
    )
    planned = plan_data(folder / "data", "synthetic", BASE, plan, search=True)
    (scope,) = scopes("inner", FOLDS, plan.study_seed)
    search = MethodSearch(base=BASE, plan=plan, scopes=(scope,))
    definition = SearchDefinition(name=NAME, suggest=suggest, first=(), settings={})
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal = runs / "experiments" / NAME / "study.journal"
    with steps.step("storing the results (no part of a start)"), unsynced():
        study = optuna.create_study(storage=open_storage(journal), study_name=NAME, directions=["maximize"])
        definition.check(study)
        files: dict[Any, dict[str, bytes]] = {}
        store = ResultsStore(runs)
        for number in range(plan.trials):
            params = {"classifier_learning_rate": 1e-5 + 1e-9 * number, "adam_beta1": 0.5}
            tasks = step_tasks(replace(BASE, **params), planned, machine_of(plan), scope.steps)
            store_all(tasks, store, files)
            predictions = [files[task.evaluation_subjects]["predictions.parquet"] for task in tasks]
            scores = InnerScores(steps={n: counts_in(one, "it") for n, one in enumerate(predictions)})
            study.add_trial(ended(params, scores.mean_of_steps))
    with steps.step("opening the study"):
        storage = open_storage(journal)
    with steps.step("study: verified against its fold runs"):
        run_search(
            [search], [definition], dispatcher=None, store=ResultsStore(runs), storage=storage,
            planned=planned,
        )  # fmt: skip


def ended(params: dict[str, Any], score: float) -> optuna.trial.FrozenTrial:
    """A complete trial as a search records it."""
    return optuna.trial.create_trial(
        params=params,
        distributions={
            "classifier_learning_rate": FloatDistribution(1e-5, 1e-1, log=True),
            "adam_beta1": FloatDistribution(0.0, 0.99),
        },
        value=score,
        user_attrs={"overrides": params, "folds": FOLDS},
        intermediate_values={FOLDS: score},
    )


def main() -> None:
    """Store, start, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--only", choices=("rows", "search"))
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/stored_results"))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True)
    steps = Steps(profile=arguments.profile)
    try:
        prepare_tiny(arguments.folder / "data", subjects=SUBJECTS)
        if arguments.only != "search":
            start_of_rows(steps, arguments.folder, arguments.runs)
        if arguments.only != "rows":
            start_of_search(steps, arguments.folder, arguments.runs)
    finally:
        shutil.rmtree(arguments.folder)


if __name__ == "__main__":
    main()
