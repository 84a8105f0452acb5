"""Flags of the commands that run fold runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from platform.cli.flags import add_settings
from platform.cli.parser import Parser
from platform.cli.settings_reader import options_elsewhere
from platform.cli.space_flags import PARAMETER_FIELDS, add_space_flags
from platform.config.settings_file import SEARCH_FIELDS
from platform.host.launcher import default_folder

DECIDED_BY_ROWS = ("dataset", "transfer_to", "masks", "folds_only", "substitutes")
"""Fields that a command sets itself if it plans its rows in advance."""


def add_run_arguments(
    parser: argparse.ArgumentParser,
    argv: Sequence[str] = (),
    *,
    search: bool = True,
    without: tuple[str, ...] = (),
) -> None:
    """Add the flags of a command that runs fold runs, but none for the settings `without`.

    argv: the command's arguments; the method that they name decides which options there are.
    """
    runs, data = default_folder("runs"), default_folder("data")
    add = parser.add_argument_group("where, and what is shown").add_argument
    add("--dry-run", action="store_true", help="show the planned runs and run nothing")
    add("--print-config", action="store_true",
        help="print the settings that these flags give, as YAML that --config reads back")  # fmt: skip
    add("--verbose", action="store_true", help="print all resolved settings and all rows before the run")
    add("--name", metavar="NAME", help="name of the experiment (default: command-dataset-preset)")
    add("--runs", default=str(runs), metavar="DIR", help=f"folder of all results (default: {runs})")
    add("--data-root", default=str(data), metavar="DIR", help=f"folder of prepared sets (default: {data})")
    add(
        "--reference",
        metavar="ROW",
        help="row that the others are compared with: a method or title (default: the first baseline)",
    )
    add(
        "--address",
        metavar="ADDRESS",
        help="Ray cluster to use, e.g. auto (default: start one on this machine)",
    )
    add("--log-json", metavar="FILE|-",
        help="append a line of JSON for every event (docs/performance.md); -: events go to standard output "
        "and all other text to standard error")  # fmt: skip
    if "method" not in without:
        add(
            "--plugins",
            metavar="DIR",
            help="folder of further methods, a Python file each (docs/extending.md)",
        )
    if "masks" not in without:
        add("--masks", nargs="+", metavar=("own|CONTROL|released", "DIR"),
            help="own (default): motion masks of each fold's training subjects; permuted, uniform, centre or "
            "random: a control that carries no information on the class; released DIR: the masks of a folder "
            "in FMPN's released layout; permuted released DIR: the same, permuted over the classes (all but "
            "own: crossval only)")  # fmt: skip
    if search:
        of_search = parser.add_argument_group("parameters of the search space, and more trials")
        of_search.add_argument(
            "--extend", metavar="NUMBER", type=int,
            help="add so many trials to a finished search of this name and settings (docs/studies.md)",
        )  # fmt: skip
        add_space_flags(of_search)
    own = ("masks", *PARAMETER_FIELDS)
    less = ("folds_only", "repeats", "substitutes") if search else SEARCH_FIELDS
    add_settings(parser, argv, without=(*own, *without, *less))
    if isinstance(parser, Parser):
        parser.shown_defaults |= {"--runs": f"default {runs}", "--data-root": f"default {data}"}
        parser.elsewhere = options_elsewhere(parser.get_default("options_of"))
