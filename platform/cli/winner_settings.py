"""A settings file that was chosen for the classes of one data set, used on that set or on another."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.cli.flags import is_named, settings_in_file
from platform.cli.settings_reader import classes_of
from platform.errors import UserError

if TYPE_CHECKING:
    from platform.experiments.experiment import Experiment


def left_behind(arguments: argparse.Namespace) -> dict[str, Any]:
    """Settings of a winner that belong to its own data set, as they are where a flag names another set.

    A mask transfer is one: its target was chosen for the masks of the winner's own set.
    """
    if not _is_elsewhere(arguments) or getattr(arguments, "transfer_to", None) is not None:
        return {}
    return {"transfer_to": "none"} if is_named(arguments, "transfer_to") else {}


def classes_remarks(arguments: argparse.Namespace, experiment: Experiment) -> tuple[str, ...]:
    """Sentences of the printed plan on a winner that is used on another data set.

    UserError: the prepared set has other classes than those that the file names, and no flag says that it is
    meant all the same.
    """
    chosen_for = classes_of(Path(arguments.config)) if arguments.config else ()
    found = experiment.planned.data.class_names
    if not chosen_for:
        return ()
    if _is_elsewhere(arguments):
        if left_behind(arguments) and settings_in_file(arguments)["transfer_to"] != "none":
            return (f"the mask transfer in {arguments.config} is left out: it belongs to another data set",)
        return ()
    if sorted(chosen_for) != sorted(found) and arguments.dataset is None:
        dataset = experiment.planned.data.dataset
        raise UserError(
            f"{arguments.config} was chosen for the classes {', '.join(chosen_for)}, but the prepared set "
            f"{dataset} has {', '.join(found)}; prepare the set of then, or pass --dataset {dataset} to "
            "train the same settings on these classes."
        )
    return ()


def _is_elsewhere(arguments: argparse.Namespace) -> bool:
    """Whether a flag names another data set than the file that was chosen for the classes of one."""
    if not arguments.config or getattr(arguments, "dataset", None) is None:
        return False
    own = settings_in_file(arguments).get("dataset")
    return bool(classes_of(Path(arguments.config))) and own not in (None, arguments.dataset)
