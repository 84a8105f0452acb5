"""The flags of a search that concern its space's parameters: `--set` and `--enqueue`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

PARAMETER_FIELDS = ("fixed", "enqueued")
"""Fields of the plan that these flags give."""


def add_space_flags(parser: argparse.ArgumentParser) -> None:
    """Add both flags."""
    parser.add_argument(
        "--set", action="append", metavar="PARAMETER=VALUE", dest="set_parameters",
        help="do not search this parameter of the space: all trials have this value (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--enqueue", metavar="FILE",
        help="YAML or JSON list of parameter values to try after the space's own first configurations",
    )  # fmt: skip


def fields_of_space_flags(arguments: argparse.Namespace) -> dict[str, Any]:
    """Fields of the plan from the flags that are given. UserError: a file that holds no configurations."""
    from platform.search.enqueued import read_enqueue_file

    fields: dict[str, Any] = {}
    if arguments.set_parameters:
        fields["fixed"] = tuple(sorted(arguments.set_parameters))
    if arguments.enqueue:
        fields["enqueued"] = read_enqueue_file(Path(arguments.enqueue))
    return fields


def enqueue_source(arguments: argparse.Namespace) -> str:
    """What errors call the place that the enqueued configurations come from."""
    return getattr(arguments, "enqueue", None) or "the field `enqueued` of --config"
