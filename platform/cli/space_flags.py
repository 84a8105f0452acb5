"""Flags for the parameters of a search space: `--fix` and `--enqueue`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

PARAMETER_FIELDS = ("fixed", "enqueued")
"""Fields of the plan that these flags set."""


def add_space_flags(parser: argparse._ActionsContainer) -> None:
    """Add both flags, and `--set`, an earlier name of `--fix` that help does not show."""
    parser.add_argument(
        "--fix", action="append", metavar="NAME=VALUE", dest="set_parameters",
        help="fix this parameter of the space to one value in all trials (repeatable)",
    )  # fmt: skip
    parser.add_argument("--set", action="append", dest="set_parameters", help=argparse.SUPPRESS)
    parser.add_argument(
        "--enqueue", metavar="FILE",
        help="YAML or JSON list of parameter values to try after the space's initial configurations",
    )  # fmt: skip


def fields_of_space_flags(arguments: argparse.Namespace) -> dict[str, Any]:
    """Fields of the plan that the flags set. UserError: a file without configurations."""
    from platform.search.enqueued import read_enqueue_file

    fields: dict[str, Any] = {}
    if arguments.set_parameters:
        fields["fixed"] = tuple(sorted(arguments.set_parameters))
    if arguments.enqueue:
        fields["enqueued"] = read_enqueue_file(Path(arguments.enqueue))
    return fields


def enqueue_source(arguments: argparse.Namespace) -> str:
    """Name of the source of the enqueued configurations in error messages."""
    return getattr(arguments, "enqueue", None) or "the field `enqueued` of --config"
