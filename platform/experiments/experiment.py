"""An experiment before it runs: settings, data, the rows of its table and their fold runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from platform.config.configuration import Configuration, Plan
from platform.config.presets import source_of_baseline, with_method
from platform.config.selection import Scope
from platform.config.settings_source import AS_GIVEN, GIVEN, OWN_SEARCH, WINNER, SettingsSource
from platform.errors import UserError
from platform.experiments.divisions import TRANSFER_RULE, Division, plan_divisions
from platform.experiments.mask_substitutes import masks_of_setting, transferred
from platform.experiments.method_search import MethodSearch, method_searches
from platform.experiments.row_needs import check_needs
from platform.experiments.rows import (
    Chosen,
    Effect,
    PlannedRows,
    Row,
    RowsPlanner,
    all_tasks,
    row_of,
)
from platform.experiments.same_name import added_seeds, refuse_other_rows, refuse_other_settings
from platform.experiments.seed_rows import chosen_with_seed, over_seeds, with_seed
from platform.experiments.substitutes import check_substitutes, source_sets, substitutes_of_setting
from platform.experiments.transfer import uses_masks
from platform.runs.cost import costs_of
from platform.runs.fold_tasks import (
    PlannedData,
    machine_of,
    plan_data,
    step_tasks,
)
from platform.runs.store import ResultsStore
from platform.search.preview import proposals_ahead
from platform.search.storage import storage_location


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
    repeats: tuple[Division, ...] = ()
    """Further divisions of the data set and the target, on which `final_rows` makes every row again."""
    remarks: tuple[str, ...] = ()
    """Sentences on requested rows that cannot be planned, or not as asked."""
    computing: tuple[str, ...] = ()
    """Lines for the plan: on what fold runs compute, in which precision, and why."""

    @property
    def all_data(self) -> tuple[PlannedData, ...]:
        """All data and splits, the main one first."""
        first = Division(data=self.planned, target=self.target)
        return (*first.all_data, *self.also, *(data for one in self.repeats for data in one.all_data))

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
    def searches(self) -> tuple[MethodSearch, ...]:
        """The search of the method, then those of the baselines if they are tuned."""
        return method_searches(self.configuration, self.plan, self.fold_count)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The fold runs that each study of the method's search compares."""
        return self.searches[0].scopes


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
    target: PlannedData | None = None
    repeats: Sequence[Division] = ()
    if plan_rows is None:
        first, *repeats = plan_divisions(data_root, dataset, configuration, plan, search=search)
        target = first.target
        check_substitutes(plan, _configurations(configuration, plan))
        sources = (
            plan_data(data_root, one, configuration, plan, fold_rule=TRANSFER_RULE)
            for one in source_sets(plan)
        )
        made = PlannedRows(rows=(), data=(first.data, *sources))
    else:
        made = over_seeds(plan_rows, configuration, plan, data_root)
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
        repeats=tuple(repeats),
        remarks=(*made.remarks, *_nothing_transferred(configuration, plan, target)),
    )
    refuse_other_settings(experiment.folder, configuration, plan, search=search)
    if experiment.rows:
        refuse_other_rows(experiment.store, name, experiment.rows, plan.selection_rule)
    check_experiment_needs(experiment, search=search)
    more = added_seeds(experiment.store, name, configuration, plan)
    return dataclasses.replace(experiment, remarks=(*experiment.remarks, *more))


def _nothing_transferred(
    configuration: Configuration, plan: Plan, target: PlannedData | None
) -> tuple[str, ...]:
    """A sentence if no method of the experiment has anything that the target could take from the source."""
    every = _configurations(configuration, plan)
    if target is None or any(map(uses_masks, every)):
        return ()
    methods = [one.method for one in every]
    uses = f"use{'s' * (len(methods) == 1)}"
    return (
        f"nothing is transferred to {target.data.dataset}: {', '.join(methods)} {uses} no motion masks and "
        f"train{'s' * (len(methods) == 1)} on its own faces there",
    )


def _configurations(configuration: Configuration, plan: Plan) -> list[Configuration]:
    """Of the method and of every other baseline."""
    others = [name for name in plan.baselines if name != configuration.method]
    return [configuration, *(with_method(configuration, name, plan) for name in others)]


def check_experiment_needs(experiment: Experiment, *, search: bool) -> None:
    """UserError if images are too small for a net, or the data lacks what a row needs, for every method that
    may run."""
    if not experiment.rows:
        costs_of(experiment.configuration, experiment.class_count)
    if not search:
        check_needs(all_tasks(final_rows(experiment, experiment.configuration)), experiment.all_data)
        return
    for one in experiment.searches:
        tried = ahead(experiment, one)
        for configuration in {getattr(each, "freeze_generator", False): each for each in tried}.values():
            tasks = all_tasks(rows_if_chosen(experiment, {one.method: configuration}))
            tasks += step_tasks(configuration, experiment.planned, machine_of(one.plan), one.steps)
            check_needs(tasks, experiment.all_data)


def rows_if_chosen(experiment: Experiment, configurations: Mapping[str, Configuration]) -> list[Row]:
    """The rows of an experiment whose searches choose these configurations, by searched method.

    A search that is not named chooses its base.
    """
    count = experiment.fold_count
    first, *baselines = (
        Chosen(
            configurations=(configurations.get(one.method, one.base),) * count,
            source=SettingsSource(whose=OWN_SEARCH, trials=one.plan.trials),
        )
        for one in experiment.searches
    )
    tuned = {one.configurations[0].method: one for one in baselines}
    return final_rows(experiment, first.configurations, trials=first.source.trials, tuned=tuned)


def ahead(experiment: Experiment, search: MethodSearch) -> list[Configuration]:
    """Configurations that represent a search of the experiment (`proposals_ahead`)."""
    return proposals_ahead(search.plan, search.base, experiment.class_count)


def final_rows(
    experiment: Experiment,
    chosen: Configuration | Sequence[Configuration],
    score: float | None = None,
    *,
    trials: int = 0,
    tuned: Mapping[str, Chosen] | None = None,
) -> list[Row]:
    """The rows of the chosen configuration and of the baselines, and the same rows on the target; then all
    of them again on each further division of the subjects. All rows of one seed come before those of the
    next.

    chosen: one configuration for all folds, or one for each. score, trials: of the search that chose them; 0
    trials without a search. tuned: the choices of the baselines' own searches; other baselines take the
    settings in `chosen`. The target takes the first fold's configuration: the rule `nested`, which has
    several, allows no target. Rows that were planned in advance are returned unchanged.
    """
    if experiment.rows:
        return list(experiment.rows)
    if isinstance(chosen, Configuration):
        chosen = [chosen] * experiment.fold_count
    first = Chosen(
        configurations=tuple(chosen),
        source=SettingsSource(whose=OWN_SEARCH, trials=trials) if trials else AS_GIVEN,
        score=score,
    )
    divisions = (Division(data=experiment.planned, target=experiment.target), *experiment.repeats)
    rows: list[Row] = []
    for offset in range(experiment.plan.seeds):
        own = {method: chosen_with_seed(one, offset) for method, one in (tuned or {}).items()}
        _, plan = with_seed(experiment.configuration, experiment.plan, offset)
        settings = _of_methods(chosen_with_seed(first, offset), plan, own)
        rows += [
            dataclasses.replace(row, repeat=repeat)
            for repeat, division in enumerate(divisions)
            for row in _rows_on(division, settings, experiment)
        ]
    return rows


def _rows_on(division: Division, settings: Sequence[Chosen], experiment: Experiment) -> list[Row]:
    """A row for each of the settings, and the same rows on the target."""
    plan, data = experiment.plan, division.data
    of_masks = masks_of_setting(plan.masks, data)
    rows = []
    for one in settings:
        asked, variation = substitutes_of_setting(one.configurations[0], plan, experiment.also)
        twice = sorted(asked.keys() & of_masks[0].keys())
        if twice:
            raise UserError(
                f"--masks and --substitutes both replace the artifact {twice[0]}; pass one of them."
            )
        substitutes = [{**of_fold, **asked} for of_fold in of_masks]
        row = row_of(one.configurations, data, plan, substitutes=substitutes, variation=variation)
        rows.append(dataclasses.replace(row, selection_score=one.score, settings=one.source))
    if division.target is not None:
        rows += [
            dataclasses.replace(
                row_of(
                    one.configurations[0],
                    division.target,
                    plan,
                    kind="transfer",
                    substitutes=transferred(one.configurations[0], plan, masks_from=data),
                ),
                settings=one.source,
            )
            for one in settings
        ]
    return rows


def _of_methods(first: Chosen, plan: Plan, tuned: Mapping[str, Chosen]) -> list[Chosen]:
    """The settings of the first method and of every other baseline."""
    wanted = first.configurations[0].method
    whose = GIVEN if first.source.whose == GIVEN else WINNER
    return [
        first,
        *(
            tuned[method]
            if method in tuned
            else Chosen(
                configurations=tuple(with_method(one, method, plan) for one in first.configurations),
                source=source_of_baseline(first.configurations[0], method, plan, whose),
            )
            for method in plan.baselines
            if method != wanted
        ),
    ]
