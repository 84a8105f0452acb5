"""A whole experiment before it runs: settings, data, the rows of its table and their fold runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets.folds.rules import FoldPlan
from platform.config.configuration import ABSENT_WHILE_USUAL, Configuration, Plan, to_dict
from platform.config.mask_source import mask_source
from platform.config.selection import WHOSE_TURN, Scope, scopes
from platform.config.settings_file import show, stored_settings
from platform.errors import UserError
from platform.experiments.experiment_file import read_experiment, write_experiment
from platform.experiments.led_files import write_as_leader
from platform.experiments.row_needs import check_needs
from platform.experiments.rows import Effect, Found, Row
from platform.runs.fold_tasks import (
    PlannedData,
    final_tasks,
    machine_of,
    plan_data,
    released_masks,
    source_masks,
    step_tasks,
    with_method,
)
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.definition import SearchDefinition, definition_of_space
from platform.search.preview import proposals_ahead, trials_to_run
from platform.search.storage import storage_location

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
    extend: int = 0
    """Trials that are being added to a finished search; the plan's trials hold them already."""
    rows: tuple[Row, ...] = ()
    """Rows that were planned beforehand, as a transfer's; empty: the configuration, the baselines and the
    transfer's target, once the configuration is chosen."""
    effects: tuple[Effect, ...] = ()
    """Comparisons of the rows that the experiment is about."""
    also: tuple[PlannedData, ...] = ()
    """Further data and splits that the rows use."""

    @property
    def all_data(self) -> tuple[PlannedData, ...]:
        """All data and splits, the main one first."""
        return (self.planned, *((self.target,) if self.target else ()), *self.also)

    @property
    def folder(self) -> Path:
        """Where the experiment's table, figures and logs go."""
        return self.store.experiment_folder(self.name)

    @property
    def storage_location(self) -> str:
        """The study's journal or database, as optuna-dashboard is given it."""
        return storage_location(self.plan.storage, self.folder)

    @property
    def fold_count(self) -> int:
        """Outer folds of the data set."""
        return len(self.planned.folds.folds)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What each study of the search compares."""
        return scopes(self.plan.selection_rule, self.fold_count, self.plan.study_seed)


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
        source_masks(planned, target)
    store = ResultsStore(runs_root)
    experiment = Experiment(
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
    refuse_other_settings(experiment)
    check_experiment_needs(experiment, search=search)
    return experiment


def check_experiment_needs(experiment: Experiment, *, search: bool) -> None:
    """UserError where the data cannot give what a row needs, for every method that may run."""
    plan, first = experiment.plan, experiment.configuration
    configurations = [first]
    if search:
        ahead = proposals_ahead(plan, first)
        configurations = list({(one.method, one.freeze_generator): one for one in ahead}.values())
    for configuration in configurations:
        tasks = all_tasks(final_rows(experiment, configuration))
        if search:
            steps = [step for scope in experiment.scopes for step in scope.steps]
            tasks += step_tasks(configuration, experiment.planned, machine_of(plan), steps)
        check_needs(tasks, experiment.all_data)


MAY_CHANGE = ("trials", "retries")
"""Settings that a later start of the same experiment may change: they change no stored result."""


def refuse_other_settings(experiment: Experiment) -> None:
    """One name, one experiment: UserError with what differs from the one already there."""
    configuration, plan, name = experiment.configuration, experiment.plan, experiment.name
    path = experiment.folder / "config.yaml"
    if not path.exists():
        return
    stored, current = stored_settings(path), {**to_dict(plan), **to_dict(configuration)}
    keys = [*current, *(key for key in ABSENT_WHILE_USUAL if key in stored and key not in current)]
    changed = [key for key in keys if key not in MAY_CHANGE and stored.get(key) != current.get(key)]
    if changed:
        shown = "; ".join(f"{key} was {stored.get(key)!r} and is now {current.get(key)!r}" for key in changed)
        raise UserError(
            f"the experiment {name} was made with other settings ({shown}; they are in {path}); pass --name "
            "with a new name to keep both, or the settings it was made with."
        )


IDENTIFYING_KEYS = (
    "method", "title", "dataset", "backbone", "kind", "masks", "generator", "repeat", "variation", "classes",
    "seed", "fold_rule", "fold_count",
)  # fmt: skip
"""What tells a row from another one of the same settings."""


def refuse_other_rows(experiment: Experiment) -> None:
    """One name, one experiment: UserError where a row that is there is none of the rows now planned.

    More rows are welcome: a data set may have been prepared since.
    """
    path = experiment.folder / "experiment.json"
    if not path.exists():
        return
    planned = [row.describe(experiment.plan.selection_rule) for row in experiment.rows]
    for row in read_experiment(experiment.store, experiment.name)["rows"]:
        known = [key for key in IDENTIFYING_KEYS if key in row]
        if not any(all(row[key] == one[key] for key in known) for one in planned):
            raise UserError(
                f"the experiment {experiment.name} has a row that is not asked for now ({row['title']} on "
                f"{row['dataset']}, backbone {row['backbone']}, masks {row['masks']}, rule "
                f"{row['fold_rule']}); pass --name with a new name to keep both, or "
                "the flags it was made with."
            )


def search_settings(base: Configuration, plan: Plan, planned: PlannedData) -> dict[str, Any]:
    """What a study is about: if any of it changes, its trials are no longer comparable."""
    keys = (
        "fold_rule",
        "folds",
        "selection_rule",
        "rounds",
        "pruning",
        "study_seed",
        "trials_in_flight",
        "asynchronous",
        "sampler",
        "objectives",
        "space",
        "fixed",
        "enqueued",
        "train_workers",
    )
    settings = to_dict(plan)
    return {
        **{name: settings[name] for name in keys},
        **{f"base.{name}": value for name, value in to_dict(base).items()},
        **({"inner_parts": WHOSE_TURN} if plan.selection_rule == "inner" else {}),
        "data": planned.data.hash,
        "folds_hash": planned.folds.hash,
        "machine": machine_of(plan).to_dict(),
    }


def search_definition(experiment: Experiment) -> SearchDefinition:
    """What the experiment's search is about. UserError as `definition_of_space`."""
    plan = experiment.plan
    return definition_of_space(
        plan.space,
        experiment.configuration,
        name=experiment.name,
        settings=search_settings(experiment.configuration, plan, experiment.planned),
        fixed=plan.fixed,
        enqueued=plan.enqueued,
    )


def final_rows(
    experiment: Experiment, chosen: Configuration | Sequence[Configuration], score: float | None = None
) -> list[Row]:
    """The configuration of all folds, or of each, and the baselines; and both on the transfer's target.

    `score` is what the configurations were chosen by, if a search did. A transfer takes the first
    fold's configuration: only the rule `nested` has several, and it goes without transfer.
    """
    if experiment.rows:
        return list(experiment.rows)
    machine = machine_of(experiment.plan)
    if isinstance(chosen, Configuration):
        chosen = [chosen] * experiment.fold_count
    rows = []
    wanted = chosen[0].method
    methods = (wanted, *(m for m in experiment.plan.baselines if m != wanted))
    source = mask_source(experiment.plan.masks)
    folder = source.released_folder
    released = None if folder is None else released_masks(experiment.planned, folder)
    for method in methods:
        configurations = tuple(with_method(one, method) for one in chosen)
        tasks = final_tasks(
            configurations, experiment.planned, machine, masks=released, mask_control=source.control
        )
        only = experiment.plan.folds_only
        if only:
            tasks = [task for task in tasks if task.fold_index in only]
        rows.append(
            Row(
                configurations=configurations,
                tasks=tuple(tasks),
                chosen_of=experiment.fold_count if only else 0,
                kind="crossval",
                masks=source.name,
                selection_score=score if method == wanted else None,
            )
        )
    if experiment.target is not None:
        lent = source_masks(experiment.planned, experiment.target)
        for method in methods:
            configuration = with_method(chosen[0], method)
            tasks = final_tasks(configuration, experiment.target, machine, masks=lent, pretrain=False)
            rows.append(
                Row(
                    configurations=(configuration,),
                    tasks=tuple(tasks),
                    kind="transfer",
                    masks=experiment.planned.data.dataset,
                    generator="none",
                )
            )
    return rows


def all_tasks(rows: Sequence[Row]) -> list[FoldTask]:
    """The rows' fold runs."""
    return [task for row in rows for task in row.tasks]


def describe_experiment(
    experiment: Experiment, rows: Sequence[Row], found: Found | None = None
) -> dict[str, Any]:
    """Write experiment.json and return its content. `found`: None where nothing was searched."""
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
        "effects": [dataclasses.asdict(effect) for effect in experiment.effects],
        "studies": list(found.studies) if found else [],
        "economy": found.economy if found else None,
    }
    write_experiment(experiment.store, content)
    return content


def write_settings(experiment: Experiment) -> None:
    """Store the resolved configuration and the folds beside the results to come.

    Several splits of one data set are `folds-NAME.json`, `folds-NAME-2.json` and so on.
    """
    write_as_leader(experiment.folder / "config.yaml", show(experiment.configuration, experiment.plan))
    splits: dict[str, list[FoldPlan]] = {}
    for planned in experiment.all_data:
        of_set = splits.setdefault(planned.data.dataset, [])
        if planned.folds not in of_set:
            of_set.append(planned.folds)
    for name, plans in splits.items():
        for number, folds in enumerate(plans, start=1):
            suffix = f"-{number}" if number > 1 else ""
            write_as_leader(experiment.folder / f"folds-{name}{suffix}.json", folds.to_json())


def wanted_gflop(experiment: Experiment, *, search: bool) -> dict[str, list[float]]:
    """Arithmetic of every run that may be wanted, by group: `stage 1`, `inner`, `final`.

    Of a search nobody knows the configurations yet: trials are taken in turn from `proposals_ahead`, and
    the final runs are those of the costliest.
    """
    plan = experiment.plan
    chosen, tasks, inner = experiment.configuration, [], []
    if search:
        trials = trials_to_run(plan, experiment.configuration)
        tried = proposals_ahead(plan, experiment.configuration)[:trials]
        steps = [step for scope in experiment.scopes for step in scope.steps]
        costs = []
        for configuration in tried:
            searched = step_tasks(configuration, experiment.planned, machine_of(plan), steps)
            costs.append([task.gflop for task in searched])
            tasks += searched
        inner = [cost for number in range(trials) for cost in costs[number % len(costs)]]
        chosen = max(zip(map(sum, costs), tried, strict=True), key=lambda pair: pair[0])[1]
    final = all_tasks(final_rows(experiment, chosen))
    tasks += final
    groups = {"final": [task.gflop for task in final], "inner": inner}
    if search and plan.selection_rule == "test":
        # The winner's final runs are its trial's own.
        groups = {"final": inner + groups["final"][experiment.fold_count :]}
    stage1 = {task.stage1.identity: task.stage1 for task in tasks if task.stage1}
    groups["stage 1"] = [task.gflop for task in stage1.values()]
    return {group: costs for group, costs in groups.items() if costs}
