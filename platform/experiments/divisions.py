"""Divisions of the subjects into folds on which an experiment makes its rows: the rule's own, and repeats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from platform.config.configuration import Configuration, Plan
from platform.runs.fold_tasks import PlannedData, plan_data

TRANSFER_RULE = "holdout"
"""Fold rule of the target of a mask transfer: one split, as for the paper's AffectNet."""


@dataclass(frozen=True, kw_only=True)
class Division:
    """One division into folds of the subjects of a data set, and of those of the target."""

    data: PlannedData
    target: PlannedData | None
    """Target of the mask transfer; None without one."""

    @property
    def all_data(self) -> tuple[PlannedData, ...]:
        """The data set, then the target."""
        return (self.data, *((self.target,) if self.target else ()))


def plan_divisions(
    data_root: Path, dataset: str, configuration: Configuration, plan: Plan, *, search: bool
) -> list[Division]:
    """`plan.repeats` divisions of the data set and of the target of `plan.transfer_to`, the rule's own first.

    UserError as `plan_data`, and for subjects that cannot be divided so often (`another_division`).
    """
    return [
        Division(
            data=plan_data(data_root, dataset, configuration, plan, search=search, repeat=repeat),
            target=None
            if plan.transfer_to == "none"
            else plan_data(
                data_root, plan.transfer_to, configuration, plan, fold_rule=TRANSFER_RULE, repeat=repeat
            ),
        )
        for repeat in range(plan.repeats)
    ]
