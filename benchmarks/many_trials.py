"""Scaling of a search to a thousand trials: time and memory of the driver.

    python -m benchmarks.many_trials                              1,000 configurations x 10 folds
    python -m benchmarks.many_trials --trials 200 --profile       fewer, with a profile of the driver
    python -m benchmarks.many_trials --sampler tpe --proposals    cost of TPE's proposals, without Ray

Study, Tune, dispatcher and results store are the real ones. The fold run is a stand-in: it sleeps for a given
time on a simulated CPU and stores predictions whose accuracy depends on the configuration.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import resource
import shutil
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import optuna

from platform.config.configuration import Plan
from platform.config.selection import scopes
from platform.distributed.dispatcher import Dispatcher
from platform.experiments.method_search import MethodSearch
from platform.monitoring.observer import End, SearchObserver
from platform.runs.fold_tasks import PlannedData, plan_data
from platform.runs.store import ResultsStore
from platform.runs.tasks import ArtifactTask, FoldTask
from platform.search.definition import SearchDefinition
from platform.search.inner_scores import InnerScores
from platform.search.proposals import Proposer
from tests.tiny_faces import CLASSES, prepare_tiny, tiny_configuration

FOLDS = 10
SUBJECTS = 40
IMAGES_A_SUBJECT = 6
BASE = tiny_configuration(method="cnn")


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """A space of two numbers; the best rate is 1e-3."""
    return {
        "classifier_learning_rate": trial.suggest_float("classifier_learning_rate", 1e-5, 1e-1, log=True),
        "adam_beta1": trial.suggest_float("adam_beta1", 0.0, 0.99),
    }


def stand_in(task: FoldTask | ArtifactTask, runs_root: str, seconds: float) -> dict[str, Any]:
    """Sleep and store predictions: the closer the rate to 1e-3, the higher the accuracy."""
    from platform.evaluation.predictions import Predictions, to_bytes

    assert isinstance(task, FoldTask)
    time.sleep(seconds)
    distance = abs(np.log10(task.record["config"]["classifier_learning_rate"]) + 3)
    generator = np.random.default_rng(zlib.crc32(task.identity.encode()))
    subjects = np.repeat(np.array(task.evaluation_subjects), IMAGES_A_SUBJECT)
    true = np.resize(np.array(CLASSES), len(subjects))
    wrong = np.roll(np.array(CLASSES), 1)[np.resize(np.arange(len(CLASSES)), len(subjects))]
    predicted = np.where(generator.random(len(true)) < 0.9 - 0.25 * distance, true, wrong)
    predictions = Predictions(
        dataset=np.full(len(true), "synthetic"),
        fold=np.full(len(true), task.fold_index),
        subject=subjects,
        sequence=np.char.add(subjects, true),
        image=np.array([f"{subject}_{row}" for row, subject in enumerate(subjects)]),
        true=true,
        predicted=predicted,
        class_names=CLASSES,
        scores=(predicted[:, None] == np.array(CLASSES)).astype(np.float32),
    )
    files = {"predictions.parquet": to_bytes(predictions)}
    store = ResultsStore(Path(runs_root))
    return store.write(task.kind, task.identity, task.record, files, seconds=seconds)


class StandInDispatcher(Dispatcher):
    """A Dispatcher whose tasks are stand-ins, each on its own CPU."""

    def __init__(self, runs_root: str, slots: int, seconds: float) -> None:
        import ray

        remote = ray.remote(stand_in).options(num_cpus=1, scheduling_strategy="DEFAULT")

        async def launch(task: FoldTask | ArtifactTask) -> dict[str, Any]:
            manifest: dict[str, Any] = await remote.remote(task, runs_root, seconds)
            return manifest

        super().__init__(runs_root, slots, launch, 0)

    async def run(
        self, tasks: list[FoldTask], lists: Mapping[str, Any] = MappingProxyType({})
    ) -> list[dict[str, Any]]:
        """As in RayDispatcher; the lists of these subjects are short enough to stay in their tasks."""
        return await super().run(tasks)

    def memory_mib(self) -> float:
        """Resident memory of this process."""
        return memory_mib()


def memory_mib() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Milestones(SearchObserver):
    """Wall time, CPU time and memory of the driver after every `every` ended trials."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.ended = 0
        self.rows: list[dict[str, float]] = []
        self._last = (time.monotonic(), time.process_time())

    def trial_ended(
        self, study: str, number: int, end: End, scores: InnerScores, *, earlier: bool = False
    ) -> None:
        """Count, and record and print at a milestone."""
        self.ended += 1
        if self.ended % self.every:
            return
        now = (time.monotonic(), time.process_time())
        wall, processor = (a - b for a, b in zip(now, self._last, strict=True))
        self._last = now
        row = {
            "trials": self.ended,
            "seconds_a_trial": round(wall / self.every, 4),
            "driver_processor_seconds_a_trial": round(processor / self.every, 4),
            "driver_memory_mib": round(memory_mib(), 1),
        }
        self.rows.append(row)
        print(json.dumps(row), flush=True)


def search(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the whole study; milestones and totals."""
    from platform.distributed.cluster import log_to
    from platform.distributed.ray_settings import QUIET

    os.environ.update(QUIET)
    import ray

    from platform.distributed.search import run_search
    from platform.search.storage import open_storage

    plan, planned = _planned(arguments, folder)
    log_to(folder / "ray.log")
    ray.init(
        num_cpus=arguments.cpus, include_dashboard=False, log_to_driver=False, logging_level="ERROR",
        runtime_env={"env_vars": {"PYTHONPATH": str(Path.cwd())}},
    )  # fmt: skip
    dispatcher = ray.remote(StandInDispatcher).options(num_cpus=0, max_concurrency=100_000)
    actor = dispatcher.remote(str(folder / "runs"), arguments.cpus, arguments.seconds)
    milestones = Milestones(arguments.every)
    started = time.monotonic()
    (study,) = run_search(
        [MethodSearch(base=BASE, plan=plan, scopes=scopes("inner", FOLDS, plan.study_seed))],
        [SearchDefinition(name="many", suggest=suggest, first=(), settings={})],
        dispatcher=actor,
        store=ResultsStore(folder / "runs"),
        storage=open_storage(folder / "study.journal"),
        planned=planned,
        observer=milestones,
    )
    seconds = time.monotonic() - started
    runs = len(list((folder / "runs" / "fold_runs").iterdir()))
    outcome = {
        "milestones": milestones.rows,
        "seconds": round(seconds, 1),
        "fold_runs": runs,
        "share_of_the_simulated_cpus_at_work": round(runs * arguments.seconds / arguments.cpus / seconds, 3),
        "dispatcher_memory_mib": round(ray.get(actor.memory_mib.remote()), 1),
        "states": _states(study.study),
    }
    ray.shutdown()
    return outcome


def _states(study: optuna.Study) -> dict[str, int]:
    names = [trial.state.name for trial in study.get_trials(deepcopy=False)]
    return {name: names.count(name) for name in sorted(set(names))}


def _planned(arguments: argparse.Namespace, folder: Path) -> tuple[Plan, PlannedData]:
    prepare_tiny(folder / "data", subjects=SUBJECTS)
    plan = Plan(
        folds=FOLDS, rounds=(4, 3, 3), trials=arguments.trials, trials_in_flight=arguments.in_flight,
        retries=0, pruning=not arguments.no_pruning, sampler=arguments.sampler,
    )  # fmt: skip
    return plan, plan_data(folder / "data", "synthetic", BASE, plan, search=True)


def proposals(arguments: argparse.Namespace) -> list[dict[str, float]]:
    """CPU seconds per proposal over the trials, with the search's own Proposer, without Ray or storage."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    proposer = Proposer(suggest, sampler=arguments.sampler, study_seed=0)
    study = optuna.create_study(direction="maximize")
    rows, spent = [], 0.0
    for number in range(arguments.trials):
        earlier = study.get_trials(deepcopy=False)[: number - number % arguments.in_flight]
        started = time.process_time()
        params = proposer.propose(number, earlier, generation_size=arguments.in_flight)
        spent += time.process_time() - started
        study.enqueue_trial(params)
        trial = study.ask()
        study.tell(trial, sum(suggest(trial).values()))
        if (number + 1) % arguments.every == 0:
            rows.append({"trials": number + 1, "seconds_a_proposal": round(spent / arguments.every, 5)})
            print(json.dumps(rows[-1]), flush=True)
            spent = 0.0
    return rows


def main() -> int:
    """Run the benchmark and print the outcome."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_trials")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--every", type=int, default=100, help="trials between two milestones")
    parser.add_argument("--seconds", type=float, default=0.2, help="duration of a stand-in fold run")
    parser.add_argument("--cpus", type=int, default=8, help="simulated CPUs, and worker processes")
    parser.add_argument("--in-flight", type=int, default=8, help="trials per generation")
    parser.add_argument("--sampler", choices=("random", "tpe"), default="random")
    parser.add_argument("--no-pruning", action="store_true", help="run all folds of every trial")
    parser.add_argument("--proposals", action="store_true", help="time the proposals only, without Ray")
    parser.add_argument("--profile", action="store_true", help="profile the driver's main thread")
    parser.add_argument("--folder", type=Path, default=Path("build/many_trials"), help="emptied first")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON too")
    arguments = parser.parse_args()
    if arguments.proposals:
        outcome: Any = proposals(arguments)
    else:
        folder = arguments.folder.absolute()
        shutil.rmtree(folder, ignore_errors=True)
        profile = cProfile.Profile()
        if arguments.profile:
            profile.enable()
        outcome = search(arguments, folder)
        if arguments.profile:
            profile.disable()
            pstats.Stats(profile).sort_stats("cumulative").print_stats(60)
    print(json.dumps(outcome, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(outcome, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
