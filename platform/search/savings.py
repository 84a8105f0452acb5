"""Savings of a search from pruning, from sharing equal fold runs, and from sharing artifacts that train.

The reference is a naive search, which runs every step of every trial, each with artifacts of its own. FMPN's
is its stage 1, after which the stored keys and the lines are named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from platform.runs.store import ResultsStore
from platform.runs.tasks import ArtifactTask, FoldTask, trained_artifacts


@dataclass(frozen=True, kw_only=True)
class SearchedTrial:
    """One trial of a study: all its steps, of which the first `done` ran."""

    tasks: tuple[FoldTask, ...]
    done: int
    pruned: bool


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Fold runs, stage-1 runs, training images and hours of one category."""

    fold_runs: int
    stage1_runs: int
    images: int
    """Training images seen, over all epochs of both stages."""
    hours: float
    """Time of the runs one after another."""


@dataclass(frozen=True, kw_only=True)
class Economy:
    """The naive search, the search that ran, and the difference by cause."""

    naive: Saving
    pruned: Saving
    """Steps skipped because the trial was pruned, each with its own stage 1."""
    failed: Saving
    """Steps skipped because an earlier step of the trial failed."""
    shared_fold_runs: Saving
    """Steps that an earlier trial had already run, each with its own stage 1."""
    shared_stage1: Saving
    """Stage-1 runs of the remaining steps that another step had already run."""
    run: Saving
    hours_estimated: bool
    """Whether hours of skipped steps are means: over runs of the same backbone, or over all runs."""

    def to_dict(self) -> dict[str, Any]:
        """As stored in experiment.json."""
        return asdict(self)


def measure_economy(trials: Sequence[SearchedTrial], store: ResultsStore) -> Economy:
    """The savings over the trials of all studies."""
    prices = _Prices(store, [task for trial in trials for task in trial.tasks])
    naive, pruned, failed, again, artifacts_again, run = (_Sum() for _ in range(6))
    fold_runs_seen: set[str] = set()
    artifacts_seen: set[str] = set()
    for trial in trials:
        for place, task in enumerate(trial.tasks):
            naive.add(prices, task)
            if place >= trial.done:
                (pruned if trial.pruned else failed).add(prices, task)
            elif task.identity in fold_runs_seen:
                again.add(prices, task)
            else:
                fold_runs_seen.add(task.identity)
                run.add_fold_run(prices, task)
                for name, artifact in trained_artifacts([task]).items():
                    (artifacts_again if name in artifacts_seen else run).add_artifact(prices, artifact)
                    artifacts_seen.add(name)
    return Economy(
        naive=naive.saving(),
        pruned=pruned.saving(),
        failed=failed.saving(),
        shared_fold_runs=again.saving(),
        shared_stage1=artifacts_again.saving(),
        run=run.saving(),
        hours_estimated=prices.estimated,
    )


class _Prices:
    """Images and hours of tasks; hours of tasks that did not run are means of those that did."""

    def __init__(self, store: ResultsStore, tasks: Sequence[FoldTask]) -> None:
        self.estimated = False
        self._seconds: dict[str, float] = {}
        self._by_key: dict[str, list[float]] = defaultdict(list)
        every: dict[str, FoldTask | ArtifactTask] = {task.identity: task for task in tasks}
        every |= trained_artifacts(tasks)
        for task in every.values():
            manifest = store.manifest(task.kind, task.identity)
            if manifest is not None and manifest["status"] == "complete":
                self._seconds[task.identity] = manifest["seconds"]
                self._by_key[task.cost_key].append(manifest["seconds"])

    def images(self, task: FoldTask | ArtifactTask) -> int:
        return task.epochs * task.training_images

    def hours(self, task: FoldTask | ArtifactTask) -> float:
        if task.identity in self._seconds:
            return self._seconds[task.identity] / 3600
        self.estimated = True
        known = self._by_key.get(task.cost_key) or list(self._seconds.values())
        return sum(known) / len(known) / 3600 if known else 0.0


class _Sum:
    """Adds up tasks."""

    def __init__(self) -> None:
        self._fold_runs = self._artifacts = self._images = 0
        self._hours = 0.0

    def add(self, prices: _Prices, task: FoldTask) -> None:
        """Add the fold run and artifacts of its own."""
        self.add_fold_run(prices, task)
        for artifact in trained_artifacts([task]).values():
            self.add_artifact(prices, artifact)

    def add_fold_run(self, prices: _Prices, task: FoldTask) -> None:
        self._fold_runs += 1
        self._images += prices.images(task)
        self._hours += prices.hours(task)

    def add_artifact(self, prices: _Prices, task: ArtifactTask) -> None:
        self._artifacts += 1
        self._images += prices.images(task)
        self._hours += prices.hours(task)

    def saving(self) -> Saving:
        return Saving(
            fold_runs=self._fold_runs,
            stage1_runs=self._artifacts,
            images=self._images,
            hours=self._hours,
        )


def economy_lines(economy: Mapping[str, Any]) -> list[str]:
    """Lines for the report, from `Economy.to_dict()`: share of the work that ran, and savings by cause."""
    naive, run = economy["naive"], economy["run"]
    lines = [
        f"Pruning and sharing cut the work to {_share(run['images'], naive['images'])} of the training "
        f"images: {run['fold_runs']} of {naive['fold_runs']} fold runs, {run['stage1_runs']} of "
        f"{naive['stage1_runs']} stage-1 runs."
        + (" Hours of skipped runs are means of the others." if economy["hours_estimated"] else "")
    ]
    for key, what in (
        ("pruned", "pruning"),
        ("shared_stage1", "sharing stage 1"),
        ("shared_fold_runs", "sharing equal fold runs"),
        ("failed", "ending failed trials"),
    ):
        saved = economy[key]
        if key != "failed" or saved["fold_runs"]:
            lines.append(
                f"  saved by {what}: {_count(saved['fold_runs'], 'fold run')}, "
                f"{_count(saved['stage1_runs'], 'stage-1 run')}, "
                f"{_share(saved['images'], naive['images'])} of the images, "
                f"{saved['hours']:.2f} of {naive['hours']:.2f} hours"
            )
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
