"""Flags of `platform.reproduce`, read as a `Reproduction`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from platform.cli.planning import Request, settings_without_data
from platform.config.configuration import Configuration, replace
from platform.config.training_seeds import SEED_LIMIT
from platform.errors import UserError
from platform.experiments.reproduction_request import Reproduction, paper_sets
from platform.models.options.classification import ClassificationNet

if TYPE_CHECKING:
    from platform.experiments.experiment import Experiment

Value = TypeVar("Value")

ROWS_DECIDE = ("method", "baselines", "fold_rule")
"""Further settings that the rows of a reproduction determine."""
OWN_FLAGS = ("seeds",)
"""Settings whose flag also takes what only this command has."""


def add_reproduction_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that only this command has."""
    add = parser.add_argument
    add("--dataset", default="synthetic", metavar="synthetic|paper",
        help="synthetic counterparts of the paper's sets, or CK+, MMI and AffectNet themselves")  # fmt: skip
    add("--backbones", metavar="NAMES",
        help="classification nets (default: --backbone)")  # fmt: skip
    add("--seeds", metavar="NUMBER",
        help="number of training seeds, the first being --seed, or a list, e.g. 0,1,5 (default: 3 in presets "
        "of the paper's size, otherwise 1)")  # fmt: skip
    add("--lambdas", default="10,0.1", metavar="NUMBERS",
        help="weights of the mask loss to compare (default: the paper's and the released)")  # fmt: skip
    add("--no-controls", action="store_true", help="leave out the control masks, which carry no prior")
    add(
        "--cluster-slots",
        metavar="NUMBER",
        help="with --dry-run: concurrent fold runs of the intended cluster",
    )
    add(
        "--price-per-hour",
        metavar="NUMBER",
        help="with --dry-run: price of the whole cluster, in your currency",
    )


def reproduction_request(arguments: argparse.Namespace) -> Request:
    """The request of `reproduce`. Raises UserError; writes nothing."""
    from platform.experiments.reproduction import reproduction_rows

    _check_estimate_flags(arguments)
    listed = listed_seeds(arguments)
    configuration, plan = settings_without_data(arguments)
    wanted = reproduction_from(arguments, configuration, listed)
    return Request(
        command="reproduce",
        name=f"reproduce-{arguments.dataset}",
        configuration=replace(configuration, backbone=wanted.backbones[0]),
        plan=plan,
        datasets=wanted.sets.names,
        plan_rows=partial(reproduction_rows, wanted),
        further_results=_effects,
        further_estimates=partial(_estimates, arguments),
    )


def _check_estimate_flags(arguments: argparse.Namespace) -> None:
    estimates = {"--cluster-slots": arguments.cluster_slots, "--price-per-hour": arguments.price_per_hour}
    given = [flag for flag, value in estimates.items() if value is not None]
    if given and not arguments.dry_run:
        raise UserError(
            f"{', '.join(given)} only changes what --dry-run estimates; add --dry-run, or remove it."
        )


def _effects(experiment: Experiment, content: dict[str, Any]) -> Sequence[str]:
    from platform.reports.effects_report import write_effects

    return write_effects(experiment.store, content).splitlines()


def _estimates(arguments: argparse.Namespace, experiment: Experiment) -> Sequence[str]:
    from platform.experiments.estimate import estimate_lines

    return estimate_lines(experiment, arguments.cluster_slots, arguments.price_per_hour)


def listed_seeds(arguments: argparse.Namespace) -> tuple[int, ...]:
    """The seeds that `--seeds` lists, if they are not consecutive; otherwise empty.

    In `arguments` the list becomes --seed and --seeds, so that 0,1,2 is the same experiment as --seeds 3.
    UserError: no list of seeds, or another --seed than its first.
    """
    if arguments.seeds is None or "," not in arguments.seeds:
        return ()
    listed = _list(arguments.seeds, "--seeds", int)
    if not listed or min(listed) < 0 or max(listed) >= SEED_LIMIT:
        raise UserError(
            f"--seeds takes a number of seeds, or seeds from 0 to 2**31 - 1 between commas, but got "
            f"{arguments.seeds!r}."
        )
    if arguments.seed not in (None, str(listed[0])):
        raise UserError(
            f"--seeds {arguments.seeds} lists the seeds, of which the first is {listed[0]}, but --seed is "
            f"{arguments.seed}; remove --seed."
        )
    consecutive = listed == tuple(range(listed[0], listed[0] + len(listed)))
    arguments.seed, arguments.seeds = str(listed[0]), str(len(listed) if consecutive else 1)
    return () if consecutive else listed


def reproduction_from(
    arguments: argparse.Namespace, configuration: Configuration, seeds: tuple[int, ...] = ()
) -> Reproduction:
    """The reproduction that the flags ask for. seeds: as `listed_seeds`. UserError: an invalid value."""
    assert isinstance(configuration, ClassificationNet)
    backbones = _list(arguments.backbones, "--backbones", str) or (configuration.backbone,)
    lambdas = _list(arguments.lambdas, "--lambdas", float)
    for backbone in backbones:
        replace(configuration, backbone=backbone)
    return Reproduction(
        sets=paper_sets(arguments.dataset),
        backbones=backbones,
        lambdas=lambdas,
        controls=not arguments.no_controls,
        seeds=seeds,
    )


def _list(text: str | None, flag: str, item: Callable[[str], Value]) -> tuple[Value, ...]:
    """The values between commas. UserError: a value of another type, or a duplicate."""
    try:
        values = tuple(item(part) for part in (text or "").split(",") if part)
    except ValueError as error:
        raise UserError(f"{flag} takes values between commas, but got {text!r} ({error}).") from error
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise UserError(f"{flag}: duplicate value {twice[0]}; list each value once.")
    return values
