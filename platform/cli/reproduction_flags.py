"""Flags of `platform.reproduce`, read as a `Reproduction`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from platform.cli.planning import Request, settings_without_data
from platform.config.configuration import Configuration, replace
from platform.errors import UserError
from platform.experiments.reproduction_request import Reproduction, paper_sets
from platform.models.options.classification import ClassificationNet

if TYPE_CHECKING:
    from platform.experiments.experiment import Experiment

Value = TypeVar("Value")

ROWS_DECIDE = ("method", "baselines", "fold_rule")
"""Further settings that the rows of a reproduction determine."""


def add_reproduction_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that only this command has."""
    add = parser.add_argument
    add("--dataset", default="synthetic", metavar="synthetic|paper",
        help="synthetic counterparts of the paper's sets, or CK+, MMI and AffectNet themselves")  # fmt: skip
    add("--backbones", metavar="NAMES",
        help="classification nets (default: --backbone)")  # fmt: skip
    add("--seeds", metavar="NUMBERS", help="training seeds (default: --seed)")
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
    configuration, plan = settings_without_data(arguments)
    wanted = reproduction_from(arguments, configuration)
    return Request(
        command="reproduce",
        name=f"reproduce-{arguments.dataset}",
        configuration=replace(configuration, backbone=wanted.backbones[0], seed=wanted.seeds[0]),
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


def reproduction_from(arguments: argparse.Namespace, configuration: Configuration) -> Reproduction:
    """The reproduction that the flags ask for. UserError: an invalid value."""
    assert isinstance(configuration, ClassificationNet)
    backbones = _list(arguments.backbones, "--backbones", str) or (configuration.backbone,)
    seeds = _list(arguments.seeds, "--seeds", int) or (configuration.seed,)
    lambdas = _list(arguments.lambdas, "--lambdas", float)
    for backbone in backbones:
        for seed in seeds:
            replace(configuration, backbone=backbone, seed=seed)
    return Reproduction(
        sets=paper_sets(arguments.dataset),
        backbones=backbones,
        seeds=seeds,
        lambdas=lambdas,
        controls=not arguments.no_controls,
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
