"""The flags of `platform.reproduce` as a `Reproduction`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

from platform.config.configuration import Configuration, replace
from platform.errors import UserError
from platform.experiments.reproduction_request import Reproduction, paper_sets

Value = TypeVar("Value")

SMALL_BACKBONES = {"quick": "resnet18", "smoke": "resnet18"}
"""Of presets that train for a few epochs from random weights: the paper's Inception stays at chance in them
(17.0 % of seven classes where ResNet-18 has 49.2 %, docs/demo.md)."""


def reproduction_from(
    arguments: argparse.Namespace, configuration: Configuration, *, net_was_named: bool
) -> Reproduction:
    """The reproduction that a command's flags ask for. UserError for a value that is none.

    net_was_named: a person chose `configuration.backbone`, not the preset alone.
    """
    usual = configuration.backbone
    if not net_was_named:
        usual = SMALL_BACKBONES.get(arguments.preset, usual)
    backbones = _list(arguments.backbones, "--backbones", str) or (usual,)
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
    """The values between commas. UserError for one of another kind, or there twice."""
    try:
        values = tuple(item(part) for part in (text or "").split(",") if part)
    except ValueError as error:
        raise UserError(f"{flag} takes values between commas, but got {text!r} ({error}).") from error
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise UserError(f"{flag}: each value stands once, but {twice[0]} is there twice; remove one.")
    return values
