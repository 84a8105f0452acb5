"""Flags of `platform.transfer`, read as a `Transfer` or as `LeftOutSets`."""

from __future__ import annotations

import argparse
from functools import partial

from platform.cli.flags import settings_in_file
from platform.cli.known_names import known_names
from platform.cli.planning import Request, settings_without_data
from platform.cli.progress_line import ProgressLine
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
"""Defaults of the flags of a transfer. A flag that is not given is None, so that --leave-one-out can refuse
the others."""


def add_transfer_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that only this command has."""
    add = parser.add_argument
    add("--source", metavar="NAMES",
        help=f"source data sets (default: synthetic).{known_names('dataset')}")  # fmt: skip
    add("--target", metavar="NAMES", help="target data sets (default: synthetic_wild)")
    add("--leave-one-out", metavar="NAMES",
        help="no transfer: train on all these sets but one and test on that one, each in turn")  # fmt: skip
    add("--transfer", metavar="masks|generator|both",
        help="what is transferred: motion masks (default), the pretrained generator, or both")  # fmt: skip
    add("--stage1", metavar="yes|no",
        help="pretrain the generator on the target with the source's masks (default: no)")  # fmt: skip
    add("--classes", default="all", metavar="all|common",
        help="common: leave out classes that not all sets have")  # fmt: skip
    add("--repeats", metavar="NUMBER", help="draws of a target's single split (rule holdout; default: 1)")


def transfer_request(arguments: argparse.Namespace) -> Request:
    """The request of `transfer`. Raises UserError; writes nothing."""
    from platform.experiments.leave_one_out import plan_rows
    from platform.experiments.transfer import plan_transfer

    if settings_in_file(arguments).get("repeats", 1) != 1:
        raise UserError(
            f"repeats in {arguments.config} divides the subjects of crossval and reproduce anew; remove it, "
            "and pass --repeats, which here draws a target's single split several times."
        )
    configuration, plan = settings_without_data(arguments, repeats=1)
    if arguments.leave_one_out is None:
        transfer = transfer_from(arguments)
        name, planner = transfer.name, partial(plan_transfer, transfer)
        datasets = (*transfer.sources, *transfer.targets)
    else:
        wanted = left_out_sets_from(arguments, plan)
        name, datasets = wanted.name, wanted.names
        planner = partial(plan_rows, wanted, progress=ProgressLine("merged sets"))
    return Request(
        command="transfer",
        name=f"transfer-{name}",
        configuration=configuration,
        plan=plan,
        datasets=datasets,
        plan_rows=planner,
    )


def transfer_from(arguments: argparse.Namespace) -> Transfer:
    """The transfer that the flags ask for. UserError: an invalid value."""
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
    """The data sets that the flags leave out in turn. UserError: flags of a transfer or of a fold rule.

    plan: resolved from flags, file and preset.
    """
    other = ("fold_rule", "folds", "holdout_share", "study_seed")
    given = [name for name in (*TRANSFER_FLAGS, *other) if getattr(arguments, name, None) is not None]
    if given:
        flags = ", ".join("--" + name.replace("_", "-") for name in given)
        raise UserError(
            f"--leave-one-out transfers nothing and tests whole data sets, but {flags} was given too; "
            "remove it."
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
    """Whether `--classes` leaves out classes that not all sets have. UserError: an invalid value."""
    common = {"common": True, "all": False}.get(classes)
    if common is None:
        raise UserError(f"--classes takes all or common, but got {classes!r}.")
    return common
