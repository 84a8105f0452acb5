"""The paper's experiments as one: its three data sets, its three methods, what each part brings, controls.

Everything is planned beforehand, so that all fold runs are dispatched at once and stage 1 is shared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from datasets.catalogue import describe
from datasets.masks.controls import CONTROLS
from datasets.prepared.store import NotPrepared
from platform.config.configuration import Configuration, Plan, replace
from platform.errors import UserError
from platform.experiments.reproduction_request import Reproduction
from platform.experiments.rows import Effect, Row
from platform.runs.fold_tasks import (
    PlannedData,
    final_tasks,
    machine_of,
    plan_data,
    source_masks,
    with_method,
)

METHODS = ("cnn", "cnn_no_mask_loss", "fmpn")
"""The paper's own rows of Table I."""
NO_STAGE_1, NO_MASK_LOSS = "without stage 1", "lambda_G 0"


@dataclass
class ReproductionPlan:
    """Rows, comparisons of them, data, and the sets that are not there."""

    rows: list[Row] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    data: list[PlannedData] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    """Data set to why it is left out, and what to do."""

    def add(self, row: Row) -> int:
        """Append the row and return its place."""
        self.rows.append(row)
        return len(self.rows) - 1

    def compare(self, effect: str, with_it: int, without: int) -> None:
        """The effect is the first row's accuracy minus the second's, on the same images."""
        self.effects.append(Effect(name=effect, with_it=with_it, without=without))


def plan_reproduction(
    wanted: Reproduction, configuration: Configuration, plan: Plan, data_root: Path
) -> ReproductionPlan:
    """Every row of the paper's plan for which the data is there. UserError when none is, and
    for data that is there and cannot be used; writes nothing."""
    made = ReproductionPlan()
    opened: dict[str, PlannedData] = {}
    for name in wanted.sets.names:
        rule = "holdout" if name == wanted.sets.wild else "paper"
        try:
            opened[name] = plan_data(data_root, name, configuration, plan, fold_rule=rule)
        except NotPrepared as error:
            made.missing[name] = str(error)
    if not opened:
        raise UserError(
            "a reproduction needs at least one data set, but none is there: "
            + " ".join(made.missing.values())
        )
    made.data = list(opened.values())
    first = opened.get(wanted.sets.first)
    for name in (wanted.sets.first, wanted.sets.second):
        if name in opened:
            _laboratory(made, wanted, configuration, plan, opened[name])
    if first is not None and wanted.sets.second in opened:
        _lent_to_second(made, wanted, configuration, plan, first, opened[wanted.sets.second])
    if first is not None and wanted.controls:
        _controls(made, wanted, configuration, plan, first)
    if wanted.sets.wild in opened:
        if first is None:
            made.missing[wanted.sets.wild] = (
                f"{describe(wanted.sets.wild).title} borrows the masks of "
                f"{describe(wanted.sets.first).title}, which is not there; prepare it first."
            )
        else:
            _wild(made, wanted, configuration, plan, first, opened[wanted.sets.wild])
    return made


def _variants(wanted: Reproduction, base: Configuration) -> list[Configuration]:
    return [
        replace(base, backbone=backbone, seed=seed) for backbone in wanted.backbones for seed in wanted.seeds
    ]


def _row(
    configuration: Configuration,
    plan: Plan,
    data: PlannedData,
    *,
    variation: str = "",
    control: str | None = None,
    lender: PlannedData | None = None,
    pretrain: bool = True,
) -> Row:
    tasks = final_tasks(
        configuration,
        data,
        machine_of(plan),
        masks=source_masks(lender, data) if lender else None,
        mask_control=control,
        pretrain=pretrain,
    )
    return Row(
        configurations=(configuration,) * len(tasks),
        tasks=tuple(tasks),
        kind="transfer" if lender else "crossval",
        masks=lender.data.dataset if lender else (control or "own"),
        generator="own" if pretrain else "none",
        variation=variation,
    )


def _laboratory(
    made: ReproductionPlan, wanted: Reproduction, base: Configuration, plan: Plan, data: PlannedData
) -> None:
    """Table I's rows of a set with neutral faces; what each part brings, for the first backbone and seed."""
    for number, one in enumerate(_variants(wanted, base)):
        rows = {
            method: made.add(_row(with_method(one, method), plan, data))
            for method in METHODS
        }  # fmt: skip
        made.compare("FMPN instead of the CNN", rows["fmpn"], rows["cnn"])
        if number:
            continue
        one = with_method(one, "fmpn")
        made.compare("extra branch and fusion, no prior", rows["cnn_no_mask_loss"], rows["cnn"])
        unpretrained = made.add(_row(one, plan, data, variation=NO_STAGE_1, pretrain=False))
        made.compare("stage 1", rows["fmpn"], unpretrained)
        unguided = made.add(_row(replace(one, lambda_mask=0.0), plan, data, variation=NO_MASK_LOSS))
        made.compare("mask loss in stage 2", rows["fmpn"], unguided)
        for weight in wanted.lambdas:
            if weight != one.lambda_mask:
                other = made.add(
                    _row(replace(one, lambda_mask=weight), plan, data, variation=f"lambda_G {weight:g}")
                )
                made.compare(f"lambda_G {one.lambda_mask:g} instead of {weight:g}", rows["fmpn"], other)


def _lent_to_second(
    made: ReproductionPlan,
    wanted: Reproduction,
    base: Configuration,
    plan: Plan,
    first: PlannedData,
    second: PlannedData,
) -> None:
    """The first set's masks on the second, against the second's own, both without stage 1."""
    lacking = set(second.data.class_names) - set(first.data.class_names)
    if lacking:
        return
    one = with_method(_variants(wanted, base)[0], "fmpn")
    lent = made.add(_row(one, plan, second, lender=first, pretrain=False))
    own = next(
        index
        for index, row in enumerate(made.rows)
        if row.variation == NO_STAGE_1 and row.tasks[0].data.dataset == second.data.dataset
    )
    made.compare(f"own masks instead of those of {first.data.dataset}", own, lent)


def _controls(
    made: ReproductionPlan, wanted: Reproduction, base: Configuration, plan: Plan, data: PlannedData
) -> None:
    """FMPN with masks that carry no prior, against its own; the same stages and rates."""
    one = with_method(_variants(wanted, base)[0], "fmpn")
    own = next(i for i, row in enumerate(made.rows) if row.configurations[0] == one and not row.variation)
    for control in CONTROLS:
        made.compare(
            f"own masks instead of `{control}` ones", own, made.add(_row(one, plan, data, control=control))
        )


def _wild(
    made: ReproductionPlan,
    wanted: Reproduction,
    base: Configuration,
    plan: Plan,
    first: PlannedData,
    wild: PlannedData,
) -> None:
    """AffectNet's rows: masks borrowed by class name, no stage 1."""
    for one in _variants(wanted, base):
        rows = {
            method: made.add(
                _row(
                    with_method(one, method),
                    plan,
                    wild,
                    lender=first if method == "fmpn" else None,
                    pretrain=False,
                )
            )
            for method in METHODS
        }
        made.compare("FMPN with lent masks instead of the CNN", rows["fmpn"], rows["cnn"])
        made.compare("lent masks and mask loss", rows["fmpn"], rows["cnn_no_mask_loss"])
