"""An experiment before it runs: settings, data, the rows of its table and their fold runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from platform.config.configuration import Configuration, Plan
from platform.config.mask_source import mask_source
from platform.config.presets import with_method
from platform.config.selection import Scope, scopes
from platform.experiments.row_needs import check_needs
from platform.experiments.rows import (
    Effect,
    PlannedRows,
    Row,
    RowsPlanner,
    all_tasks,
    own_row,
    transferred_row,
)
from platform.experiments.same_name import refuse_other_rows, refuse_other_settings
from platform.runs.cost import costs_of
from platform.runs.fold_tasks import (
    PlannedData,
    machine_of,
    plan_data,
    released_masks,
    step_tasks,
)
from platform.runs.store import ResultsStore
from platform.search.preview import proposals_ahead
from platform.search.storage import storage_location

TRANSFER_RULE = "holdout"
"""Fold rule of the target of a mask transfer: one split, as for the paper's AffectNet."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Settings, data, rows and result folders of one command."""

    name: str
    command: str
    preset: str
    configuration: Configuration
    plan: Plan
    planned: PlannedData
    target: PlannedData | None
    """Target of the mask transfer; None without one."""
    store: ResultsStore
    address: str | None = None
    """Address of a running Ray cluster; None starts one on this machine."""
    extend: int = 0
    """Trials added to a finished search; the plan's trials include them."""
    rows: tuple[Row, ...] = ()
    """Rows that are known in advance; empty: `final_rows` makes them from the chosen configuration and the
    baselines."""
    effects: tuple[Effect, ...] = ()
    """Comparisons of the rows that the report shows."""
    also: tuple[PlannedData, ...] = ()
    """Further data and splits that the rows read."""
    remarks: tuple[str, ...] = ()
    """Sentences on requested rows that cannot be planned."""

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
        """The study's journal or database, as optuna-dashboard takes it."""
        return storage_location(self.plan.storage, self.folder)

    @property
    def fold_count(self) -> int:
        """Outer folds of the data set."""
        return len(self.planned.folds.folds)

    @property
    def class_count(self) -> int:
        """Classes of the data set."""
        return len(self.planned.data.class_names)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The fold runs that each study of the search compares."""
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
    plan_rows: RowsPlanner | None = None,
) -> Experiment:
    """Open the prepared data, make the folds and plan the rows.

    plan_rows: plans rows that are known in advance; None: `dataset`, and the target of
    `plan.transfer_to`, with rows that follow from the chosen configuration.

    UserError: data that is not prepared or lacks what a row needs; a name that belongs to another
    experiment. Writes no result.
    """
    target = None
    if plan_rows is None:
        main = plan_data(data_root, dataset, configuration, plan, search=search)
        if plan.transfer_to != "none":
            target = plan_data(data_root, plan.transfer_to, configuration, plan, fold_rule=TRANSFER_RULE)
        made = PlannedRows(rows=(), data=(main,))
    else:
        made = plan_rows(configuration, plan, data_root)
    experiment = Experiment(
        name=name,
        command=command,
        preset=preset,
        configuration=configuration,
        plan=plan,
        planned=made.data[0],
        target=target,
        store=ResultsStore(runs_root),
        address=address,
        rows=made.rows,
        effects=made.effects,
        also=made.data[1:],
        remarks=made.remarks,
    )
    refuse_other_settings(experiment.folder, configuration, plan, search=search)
    if experiment.rows:
        refuse_other_rows(experiment.store, name, experiment.rows, plan.selection_rule)
    check_experiment_needs(experiment, search=search)
    return experiment


def check_experiment_needs(experiment: Experiment, *, search: bool) -> None:
    """UserError if images are too small for a net, or the data lacks what a row needs, for every method that
    may run."""
    plan, first = experiment.plan, experiment.configuration
    if not experiment.rows:
        costs_of(first, experiment.class_count)
    configurations = [first]
    if search:
        tried = ahead(experiment)
        configurations = list({getattr(one, "freeze_generator", False): one for one in tried}.values())
    for configuration in configurations:
        tasks = all_tasks(final_rows(experiment, configuration))
        if search:
            steps = [step for scope in experiment.scopes for step in scope.steps]
            tasks += step_tasks(configuration, experiment.planned, machine_of(plan), steps)
        check_needs(tasks, experiment.all_data)


def ahead(experiment: Experiment) -> list[Configuration]:
    """Configurations that represent the experiment's search (`proposals_ahead`)."""
    return proposals_ahead(experiment.plan, experiment.configuration, experiment.class_count)


def final_rows(
    experiment: Experiment, chosen: Configuration | Sequence[Configuration], score: float | None = None
) -> list[Row]:
    """The rows of the chosen configuration and of the baselines, and the same rows on the target.

    chosen: one configuration for all folds, or one for each. score: the score of the search that chose them.
    The target takes the first fold's configuration: the rule `nested`, which has several, allows no target.
    Rows that were planned in advance are returned unchanged.
    """
    if experiment.rows:
        return list(experiment.rows)
    plan, data = experiment.plan, experiment.planned
    if isinstance(chosen, Configuration):
        chosen = [chosen] * experiment.fold_count
    wanted = chosen[0].method
    methods = (wanted, *(method for method in plan.baselines if method != wanted))
    source = mask_source(plan.masks)
    released = None if source.released_folder is None else released_masks(data, source.released_folder)
    rows = [
        own_row(
            [with_method(one, method, plan) for one in chosen],
            data,
            plan,
            source=source,
            released=released,
            selection_score=score if method == wanted else None,
        )
        for method in methods
    ]
    if experiment.target is not None:
        rows += [
            transferred_row(with_method(chosen[0], method, plan), experiment.target, plan, masks_from=data)
            for method in methods
        ]
    return rows
