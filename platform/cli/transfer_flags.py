"""The flags of `platform.transfer` as a `Transfer` or as `LeftOutSets`."""

from __future__ import annotations

import argparse

from platform.config.configuration import Plan
from platform.errors import UserError, unknown_name
from platform.experiments.leave_one_out import LeftOutSets
from platform.experiments.transfer import PARTS, Transfer

TRANSFER_FLAGS = {
    "source": "synthetic",
    "target": "synthetic_wild",
    "transfer": "masks",
    "stage1": "no",
    "repeats": "1",
}
"""What a transfer is when its flag is not given."""


def transfer_from(arguments: argparse.Namespace) -> Transfer:
    """The transfer that a command's flags ask for. UserError for a value that is none."""
    given = {
        name: default if (value := getattr(arguments, name)) is None else value
        for name, default in TRANSFER_FLAGS.items()
    }
    stage1 = {"yes": True, "no": False}.get(given["stage1"])
    if stage1 is None:
        raise UserError(f"--stage1 takes yes or no, but got {given['stage1']!r}.")
    if not given["repeats"].isdigit():
        raise UserError(f"--repeats takes a whole number, but got {given['repeats']!r}.")
    if given["transfer"] not in PARTS:
        raise unknown_name("kind of transfer", given["transfer"], PARTS)
    return Transfer(
        sources=_names(given["source"]),
        targets=_names(given["target"]),
        part=given["transfer"],
        stage1=stage1,
        repeats=int(given["repeats"]),
        common_classes=_only_common_classes(arguments.classes),
        fold_rule=arguments.fold_rule or "auto",
    )


def left_out_sets_from(arguments: argparse.Namespace, plan: Plan) -> LeftOutSets:
    """What a command's flags ask for. UserError for flags of a transfer, or of a division of subjects.

    plan: what flags, file and preset give together.
    """
    other = ("fold_rule", "folds", "holdout_share", "study_seed")
    given = [name for name in (*TRANSFER_FLAGS, *other) if getattr(arguments, name, None) is not None]
    if given:
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UserError(
            f"--leave-one-out lends nothing and tests whole data sets, but {flags} was given too; remove it."
        )
    usual = Plan()
    if (plan.fold_rule, plan.folds) != (usual.fold_rule, usual.folds):
        raise UserError(
            f"--leave-one-out tests whole data sets, but {arguments.config} sets fold_rule {plan.fold_rule}, "
            f"folds {plan.folds}; remove them from it."
        )
    return LeftOutSets(
        names=_names(arguments.leave_one_out), common_classes=_only_common_classes(arguments.classes)
    )


def _names(listed: str) -> tuple[str, ...]:
    """The names between commas."""
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _only_common_classes(classes: str) -> bool:
    """Whether `--classes` leaves out what not all sets have. UserError for a value that is none."""
    common = {"common": True, "all": False}.get(classes)
    if common is None:
        raise UserError(f"--classes takes all or common, but got {classes!r}.")
    return common
