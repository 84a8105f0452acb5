"""A whole experiment before it runs: settings, data, the rows of its table and their fold runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform.config import Configuration, Plan, to_dict
from platform.errors import UserError
from platform.models import load_method
from platform.results.cost import cost_gflop
from platform.results.files import write_atomically
from platform.results.planning import (
    PlannedData,
    final_tasks,
    inner_tasks,
    machine_of,
    masks_to_lend,
    plan_data,
    released_masks,
    with_method,
)
from platform.results.settings_file import show, stored_settings
from platform.results.store import ResultsStore
from platform.results.tasks import FoldTask, Stage1Task

TRANSFER_RULE = "holdout"
"""Fold rule of the transfer target: one split, as the paper's AffectNet."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What one command wants: settings, data, and where results go."""

    name: str
    command: str
    preset: str
    configuration: Configuration
    plan: Plan
    planned: PlannedData
    target: PlannedData | None
    """The transfer's target, if there is one."""
    store: ResultsStore
    address: str | None = None
    """Of a Ray cluster that is already there; None starts one on this machine."""

    @property
    def folder(self) -> Path:
        """Where the experiment's table, figures and logs go."""
        return self.store.experiment_folder(self.name)

    @property
    def order(self) -> tuple[int, ...]:
        """The order in which a trial runs its folds: seeded, so that a round is no block of neighbours."""
        import random

        order = list(range(len(self.planned.folds.folds)))
        random.Random(f"{self.plan.study_seed}/fold order").shuffle(order)
        return tuple(order)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the table to come: a method on a data set, and its fold runs."""

    configuration: Configuration
    tasks: tuple[FoldTask, ...]
    kind: str
    masks: str

    def describe(self, selection_rule: str) -> dict[str, Any]:
        """As experiment.json holds it."""
        method = load_method(self.configuration.method)
        first = self.tasks[0]
        return {
            "method": self.configuration.method,
            "title": method.title,
            "dataset": first.data.dataset,
            "backbone": self.configuration.backbone,
            "selection_rule": selection_rule,
            "kind": self.kind,
            "masks": self.masks if method.uses_masks else "none",
            "fold_rule": first.record["fold"]["rule"],
            "fold_count": len(self.tasks),
            "runs": [{"fold": task.fold_index, "identity": task.identity} for task in self.tasks],
        }


def plan_experiment(
    *,
    name: str,
    command: str,
    preset: str,
    dataset: str,
    configuration: Configuration,
    plan: Plan,
    data_root: Path,
    runs_root: Path,
    search: bool,
    address: str | None,
) -> Experiment:
    """Open the prepared data and make the folds. Raises UserError; writes nothing."""
    planned = plan_data(data_root, dataset, configuration, plan, search=search)
    target = None
    if plan.transfer_to != "none":
        target = plan_data(data_root, plan.transfer_to, configuration, plan, fold_rule=TRANSFER_RULE)
        masks_to_lend(planned, target)
    if plan.masks != "own":
        released_masks(planned, Path(plan.masks))
    store = ResultsStore(runs_root)
    _refuse_other_settings(store.experiment_folder(name), name, configuration, plan)
    return Experiment(
        name=name,
        command=command,
        preset=preset,
        configuration=configuration,
        plan=plan,
        planned=planned,
        target=target,
        store=store,
        address=address,
    )


MAY_CHANGE = ("trials", "retries")
"""Settings that a later start of the same experiment may change: they change no stored result."""


def _refuse_other_settings(folder: Path, name: str, configuration: Configuration, plan: Plan) -> None:
    """One name, one experiment: UserError with what differs from the one already there."""
    path = folder / "config.yaml"
    if not path.exists():
        return
    stored, current = stored_settings(path), {**to_dict(plan), **to_dict(configuration)}
    changed = [key for key in current if key not in MAY_CHANGE and stored.get(key) != current[key]]
    if changed:
        shown = "; ".join(f"{key} was {stored.get(key)!r} and is now {current[key]!r}" for key in changed)
        raise UserError(
            f"the experiment {name} was made with other settings ({shown}); pass --name with a new "
            "name to keep "
            f"both, or the settings it was made with."
        )


def final_rows(experiment: Experiment, chosen: Configuration) -> list[Row]:
    """The chosen configuration and the baselines on all folds, and on the transfer's target."""
    machine = machine_of(experiment.plan)
    rows = []
    methods = (chosen.method, *(m for m in experiment.plan.baselines if m != chosen.method))
    released = None
    if experiment.plan.masks != "own":
        released = released_masks(experiment.planned, Path(experiment.plan.masks))
    for method in methods:
        configuration = with_method(chosen, method)
        tasks = final_tasks(configuration, experiment.planned, machine, borrowed_masks=released)
        masks = "released" if released else "own"
        rows.append(Row(configuration=configuration, tasks=tuple(tasks), kind="crossval", masks=masks))
    if experiment.target is not None:
        lent = masks_to_lend(experiment.planned, experiment.target)
        for method in methods:
            configuration = with_method(chosen, method)
            tasks = final_tasks(
                configuration, experiment.target, machine, borrowed_masks=lent, pretrain=False
            )
            source = experiment.planned.data.dataset
            rows.append(Row(configuration=configuration, tasks=tuple(tasks), kind="transfer", masks=source))
    return rows


def all_tasks(rows: Sequence[Row]) -> list[FoldTask]:
    """The rows' fold runs."""
    return [task for row in rows for task in row.tasks]


def describe_experiment(
    experiment: Experiment, rows: Sequence[Row], study: dict[str, Any] | None
) -> dict[str, Any]:
    """Write experiment.json and return its content."""
    rule = experiment.plan.selection_rule
    content = {
        "format": "experiment",
        "name": experiment.name,
        "command": experiment.command,
        "dataset": experiment.planned.data.dataset,
        "preset": experiment.preset,
        "selection_rule": rule,
        "config": {**to_dict(experiment.plan), **to_dict(experiment.configuration)},
        "rows": [row.describe(rule) for row in rows],
        "study": study,
    }
    write_atomically(experiment.folder / "experiment.json", json.dumps(content, indent=1) + "\n")
    return content


def write_settings(experiment: Experiment) -> None:
    """Store the resolved configuration and the folds beside the results to come."""
    write_atomically(experiment.folder / "config.yaml", show(experiment.configuration, experiment.plan))
    for planned in (experiment.planned, experiment.target):
        if planned is not None:
            name = f"folds-{planned.data.dataset}.json"
            write_atomically(experiment.folder / name, planned.folds.to_json())


def wanted_gflop(experiment: Experiment, *, search: bool) -> dict[str, list[float]]:
    """Arithmetic of every run that may be wanted, by group: `stage 1`, `inner`, `final`."""
    tasks = all_tasks(final_rows(experiment, experiment.configuration))
    groups: dict[str, list[float]] = {"final": [_gflop(experiment, task) for task in tasks]}
    if search:
        inner = inner_tasks(
            experiment.configuration, experiment.planned, machine_of(experiment.plan), experiment.order
        )
        groups["inner"] = [_gflop(experiment, task) for task in inner] * experiment.plan.trials
        tasks += inner
    stage1 = {task.stage1.identity: task.stage1 for task in tasks if task.stage1}
    groups["stage 1"] = [_gflop(experiment, task) for task in stage1.values()]
    return {group: costs for group, costs in groups.items() if costs}


def _gflop(experiment: Experiment, task: FoldTask | Stage1Task) -> float:
    counts = image_counts(experiment)
    return cost_gflop(task, sum(counts[f"{task.data.hash}/{s}"] for s in task.train_subjects))


def image_counts(experiment: Experiment) -> dict[str, int]:
    """`<data hash>/<subject>` to that subject's number of expressive images."""
    return {
        f"{planned.data.hash}/{subject}": count
        for planned in (experiment.planned, experiment.target)
        if planned is not None
        for subject, count in planned.images_of_subject.items()
    }
