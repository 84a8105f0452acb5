"""Rows of the paper's experiments in one experiment: three data sets, three methods, ablations and controls.

All rows are planned in advance, so that all fold runs are dispatched at once and share stage 1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from datasets.catalogue import describe
from datasets.masks.controls import CONTROLS
from datasets.prepared.store import NotPrepared
from platform.config.configuration import Configuration, Plan, replace
from platform.config.presets import with_method
from platform.errors import UserError
from platform.experiments.mask_substitutes import WITHOUT_STAGE_1, control_of_masks, transferred
from platform.experiments.reproduction_request import Reproduction
from platform.experiments.rows import Effect, PlannedRows, Row, row_of
from platform.experiments.seed_rows import over_seeds
from platform.models.fmpn import FmpnOptions
from platform.runs.fold_tasks import PlannedData, plan_data

METHODS = ("cnn", "cnn_no_mask_loss", "fmpn")
"""The paper's own rows of Table I."""
NO_STAGE_1, NO_MASK_LOSS = "without stage 1", "lambda_G 0"


@dataclass
class ReproductionPlan:
    """Rows, their comparisons, their data, and the missing data sets."""

    rows: list[Row] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    data: list[PlannedData] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    """Data set to the reason why it is left out, with a remedy."""

    def add(self, row: Row) -> int:
        """Append the row and return its position."""
        self.rows.append(row)
        return len(self.rows) - 1

    def compare(self, effect: str, with_it: int, without: int) -> None:
        """Add an ablation: the first row's accuracy minus the second's, on the same images."""
        self.effects.append(Effect(name=effect, with_it=with_it, without=without))

    def planned_rows(self) -> PlannedRows:
        """Rows, data, ablations and remarks, as an experiment takes them."""
        return PlannedRows(
            rows=tuple(self.rows),
            data=tuple(self.data),
            effects=tuple(self.effects),
            remarks=tuple(f"left out: {dataset}. {reason}" for dataset, reason in self.missing.items()),
        )


def plan_reproduction(
    wanted: Reproduction, configuration: Configuration, plan: Plan, data_root: Path
) -> ReproductionPlan:
    """Every row of the paper whose data set is prepared, with the configuration's seed, on each of the plan's
    divisions of the subjects. Writes nothing.

    UserError: no set is prepared, or a prepared one cannot be used or divided again.
    """
    made = ReproductionPlan()
    opened: dict[str, PlannedData] = {}
    for name in wanted.sets.names:
        try:
            opened[name] = _opened(name, wanted, configuration, plan, data_root)
        except NotPrepared as error:
            made.missing[name] = str(error)
    if not opened:
        raise UserError(
            "a reproduction needs at least one data set, but none is prepared: "
            + " ".join(made.missing.values())
        )
    _plan_on(opened, made, wanted, configuration, plan)
    for repeat in range(1, plan.repeats):
        divided = {
            name: _opened(name, wanted, configuration, plan, data_root, repeat=repeat) for name in opened
        }
        again = ReproductionPlan()
        _plan_on(divided, again, wanted, configuration, plan)
        # Ablations compare the rows of the paper's own folds.
        made.rows += [dataclasses.replace(row, repeat=repeat) for row in again.rows]
        made.data += again.data
    return made


def _opened(
    name: str,
    wanted: Reproduction,
    configuration: Configuration,
    plan: Plan,
    data_root: Path,
    *,
    repeat: int = 0,
) -> PlannedData:
    """The data set in division number `repeat` of its subjects."""
    rule = "holdout" if name == wanted.sets.wild else "paper"
    return plan_data(data_root, name, configuration, plan, fold_rule=rule, repeat=repeat)


def _plan_on(
    opened: Mapping[str, PlannedData],
    made: ReproductionPlan,
    wanted: Reproduction,
    configuration: Configuration,
    plan: Plan,
) -> None:
    """Add to `made` the rows on one division of the opened data sets, and what they compare."""
    made.data = list(opened.values())
    first = opened.get(wanted.sets.first)
    for name in (wanted.sets.first, wanted.sets.second):
        if name in opened:
            _laboratory(made, wanted, configuration, plan, opened[name])
    if first is not None and wanted.sets.second in opened:
        _transferred_to_second(made, wanted, configuration, plan, first, opened[wanted.sets.second])
    if first is not None and wanted.controls:
        _controls(made, wanted, configuration, plan, first)
    if wanted.sets.wild in opened:
        if first is None:
            made.missing[wanted.sets.wild] = (
                f"{describe(wanted.sets.wild).title} uses the masks of "
                f"{describe(wanted.sets.first).title}, which is not prepared; prepare it first."
            )
        else:
            _wild(made, wanted, configuration, plan, first, opened[wanted.sets.wild])


def _variants(wanted: Reproduction, base: Configuration) -> list[Configuration]:
    return [replace(base, backbone=backbone) for backbone in wanted.backbones]


def _laboratory(
    made: ReproductionPlan, wanted: Reproduction, base: Configuration, plan: Plan, data: PlannedData
) -> None:
    """Table I's rows of a set with neutral faces; ablations for the first backbone."""
    for number, one in enumerate(_variants(wanted, base)):
        rows = {
            method: made.add(row_of(with_method(one, method, plan), data, plan))
            for method in METHODS
        }  # fmt: skip
        made.compare("FMPN instead of the CNN", rows["fmpn"], rows["cnn"])
        if number:
            continue
        one = with_method(one, "fmpn", plan)
        assert isinstance(one, FmpnOptions)
        made.compare("extra branch and fusion, no prior", rows["cnn_no_mask_loss"], rows["cnn"])
        unpretrained = made.add(row_of(one, data, plan, variation=NO_STAGE_1, substitutes=WITHOUT_STAGE_1))
        made.compare("stage 1", rows["fmpn"], unpretrained)
        unguided = made.add(row_of(replace(one, lambda_mask=0.0), data, plan, variation=NO_MASK_LOSS))
        made.compare("mask loss in stage 2", rows["fmpn"], unguided)
        for weight in wanted.lambdas:
            if weight != one.lambda_mask:
                other = made.add(
                    row_of(replace(one, lambda_mask=weight), data, plan, variation=f"lambda_G {weight:g}")
                )
                made.compare(f"lambda_G {one.lambda_mask:g} instead of {weight:g}", rows["fmpn"], other)


def _transferred_to_second(
    made: ReproductionPlan,
    wanted: Reproduction,
    base: Configuration,
    plan: Plan,
    first: PlannedData,
    second: PlannedData,
) -> None:
    """The first set's masks on the second set, against its own, both without stage 1."""
    lacking = set(second.data.class_names) - set(first.data.class_names)
    if lacking:
        return
    one = with_method(_variants(wanted, base)[0], "fmpn", plan)
    with_source = made.add(_transferred_row(one, second, plan, first))
    own = next(
        index
        for index, row in enumerate(made.rows)
        if row.variation == NO_STAGE_1 and row.tasks[0].data.dataset == second.data.dataset
    )
    made.compare(f"own masks instead of those of {first.data.dataset}", own, with_source)


def _controls(
    made: ReproductionPlan, wanted: Reproduction, base: Configuration, plan: Plan, data: PlannedData
) -> None:
    """FMPN with control masks against FMPN with its own; same stages and rates."""
    one = with_method(_variants(wanted, base)[0], "fmpn", plan)
    own = next(i for i, row in enumerate(made.rows) if row.configurations[0] == one and not row.variation)
    for control in CONTROLS:
        controlled = made.add(row_of(one, data, plan, substitutes=control_of_masks(control)))
        made.compare(f"own masks instead of `{control}` ones", own, controlled)


def _wild(
    made: ReproductionPlan,
    wanted: Reproduction,
    base: Configuration,
    plan: Plan,
    first: PlannedData,
    wild: PlannedData,
) -> None:
    """AffectNet's rows: masks of the first set, matched by class name, no stage 1."""
    for one in _variants(wanted, base):
        rows = {
            method: made.add(
                _transferred_row(with_method(one, method, plan), wild, plan, first)
                if method == "fmpn"
                else row_of(with_method(one, method, plan), wild, plan)
            )
            for method in METHODS
        }
        # Stored in experiment.json, so the wording stays; platform/reports/effects.py shows other names.
        made.compare("FMPN with lent masks instead of the CNN", rows["fmpn"], rows["cnn"])
        made.compare("lent masks and mask loss", rows["fmpn"], rows["cnn_no_mask_loss"])


def _transferred_row(one: Configuration, target: PlannedData, plan: Plan, source: PlannedData) -> Row:
    """A row on the target with the source's masks and no stage 1, as in the paper."""
    substitutes = transferred(one, plan, masks_from=source)
    return row_of(one, target, plan, kind="transfer", substitutes=substitutes)


def reproduction_rows(
    wanted: Reproduction, configuration: Configuration, plan: Plan, data_root: Path
) -> PlannedRows:
    """`plan_reproduction` as a RowsPlanner, with the seeds of the request if it lists any."""

    def of_one_seed(configuration: Configuration, plan: Plan, data_root: Path) -> PlannedRows:
        return plan_reproduction(wanted, configuration, plan, data_root).planned_rows()

    listed = [seed - configuration.seed for seed in wanted.seeds] or [0]
    return over_seeds(of_one_seed, configuration, plan, data_root, listed)
