"""What a search saved by pruning trials, by running equal fold runs once, and by sharing stage 1.

The naive search that it is measured against runs every step of every trial, each with a stage 1 of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask, Stage1Task


@dataclass(frozen=True, kw_only=True)
class SearchedTrial:
    """One trial of a study: all its steps, of which the first `done` were run."""

    tasks: tuple[FoldTask, ...]
    done: int
    pruned: bool


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Fold runs, stage-1 runs, training images and hours of one kind."""

    fold_runs: int
    stage1_runs: int
    images: int
    """Training images seen, over all epochs of both stages."""
    hours: float
    """Of one fold run after another."""


@dataclass(frozen=True, kw_only=True)
class Economy:
    """The naive search, the one that ran, and what lay between."""

    naive: Saving
    pruned: Saving
    """Steps that were not run because the trial was stopped, with the stage 1 that each would have had."""
    failed: Saving
    """Steps that were not run because an earlier one of the trial failed."""
    shared_fold_runs: Saving
    """Steps that an earlier trial had run already, with the stage 1 that each would have had."""
    shared_stage1: Saving
    """Stage 1 of the other steps, beyond the ones that were run."""
    run: Saving
    hours_estimated: bool
    """Whether hours of steps that nobody ran are means of their backbone's or of all runs."""

    def to_dict(self) -> dict[str, Any]:
        """As experiment.json holds it."""
        return asdict(self)


def measure_economy(trials: Sequence[SearchedTrial], store: ResultsStore) -> Economy:
    """The economy of all studies' trials."""
    prices = _Prices(store, [task for trial in trials for task in trial.tasks])
    naive, pruned, failed, again, stage1_again, run = (_Sum() for _ in range(6))
    fold_runs_seen: set[str] = set()
    stage1_seen: set[str] = set()
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
                if task.stage1 is not None:
                    shared = task.stage1.identity in stage1_seen
                    stage1_seen.add(task.stage1.identity)
                    (stage1_again if shared else run).add_stage1(prices, task.stage1)
    return Economy(
        naive=naive.saving(),
        pruned=pruned.saving(),
        failed=failed.saving(),
        shared_fold_runs=again.saving(),
        shared_stage1=stage1_again.saving(),
        run=run.saving(),
        hours_estimated=prices.estimated,
    )


class _Prices:
    """Images and hours of tasks; of those that nobody ran, by the means of those that ran."""

    def __init__(self, store: ResultsStore, tasks: Sequence[FoldTask]) -> None:
        self.estimated = False
        self._seconds: dict[str, float] = {}
        self._by_key: dict[str, list[float]] = defaultdict(list)
        every = {task.identity: task for task in tasks} | {
            task.stage1.identity: task.stage1 for task in tasks if task.stage1 is not None
        }
        for task in every.values():
            manifest = store.manifest(task.kind, task.identity)
            if manifest is not None and manifest["status"] == "complete":
                self._seconds[task.identity] = manifest["seconds"]
                self._by_key[task.cost_key].append(manifest["seconds"])

    def images(self, task: FoldTask | Stage1Task) -> int:
        return task.epochs * task.training_images

    def hours(self, task: FoldTask | Stage1Task) -> float:
        if task.identity in self._seconds:
            return self._seconds[task.identity] / 3600
        self.estimated = True
        known = self._by_key.get(task.cost_key) or list(self._seconds.values())
        return sum(known) / len(known) / 3600 if known else 0.0


class _Sum:
    """Adds up tasks."""

    def __init__(self) -> None:
        self._fold_runs = self._stage1_runs = self._images = 0
        self._hours = 0.0

    def add(self, prices: _Prices, task: FoldTask) -> None:
        """The fold run and a stage 1 of its own."""
        self.add_fold_run(prices, task)
        if task.stage1 is not None:
            self.add_stage1(prices, task.stage1)

    def add_fold_run(self, prices: _Prices, task: FoldTask) -> None:
        self._fold_runs += 1
        self._images += prices.images(task)
        self._hours += prices.hours(task)

    def add_stage1(self, prices: _Prices, task: Stage1Task) -> None:
        self._stage1_runs += 1
        self._images += prices.images(task)
        self._hours += prices.hours(task)

    def saving(self) -> Saving:
        return Saving(
            fold_runs=self._fold_runs,
            stage1_runs=self._stage1_runs,
            images=self._images,
            hours=self._hours,
        )


def economy_lines(economy: Mapping[str, Any]) -> list[str]:
    """For a person, from `Economy.to_dict()`: what was asked, what was saved by what, what ran."""
    naive, run = economy["naive"], economy["run"]
    lines = [
        f"The search asked {naive['fold_runs']} fold runs and needed {run['fold_runs']} (run now or before), "
        f"with {run['stage1_runs']} stage-1 runs instead of {naive['stage1_runs']}: "
        f"{_share(run['images'], naive['images'])} of the training images of a naive search"
        + (" (hours of what was not run: means of what was)." if economy["hours_estimated"] else ".")
    ]
    for key, what in (
        ("pruned", "pruning trials"),
        ("shared_stage1", "sharing stage 1"),
        ("shared_fold_runs", "running equal fold runs once"),
        ("failed", "stopping failed trials"),
    ):
        saved = economy[key]
        if key != "failed" or saved["fold_runs"]:
            lines.append(
                f"  {what}: {saved['fold_runs']} fold runs, {saved['stage1_runs']} stage-1 runs, "
                f"{_share(saved['images'], naive['images'])} of the images, {saved['hours']:.2f} of "
                f"{naive['hours']:.2f} hours saved"
            )
    return lines


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
