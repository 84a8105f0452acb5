"""The command `python -m platform.runs`: look after the results of a runs folder."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from platform.cli.parser import Parser
from platform.host.launcher import default_folder

DESCRIPTION = """\
Look after the results in a runs folder. Everything is read from the folder alone, so this works on any
machine that sees it, while experiments run and without Ray.
"""
EPILOG = """\
examples:
  python -m platform.runs ls                      every experiment: state, score, hours, size
  python -m platform.runs status tune-ckplus      progress, failures and estimated end
  python -m platform.runs du                      what takes how much
  python -m platform.runs compare A B             settings that differ, A minus B on the same images
  python -m platform.runs bundle A --out a.zip    all that its table is computed from, and no face
  python -m platform.runs verify a.zip            recompute hashes and table
  python -m platform.runs rm tune-ckplus          what would go with it; --delete removes it
  python -m platform.runs gc                      what nobody needs any more; --delete removes it
Each action has --help. docs/runs.md has the details.

exit status: 0 done, 2 invalid input or a problem that you can remove.
"""


def main(argv: list[str]) -> int:
    """Do what the first argument says. Raises UserError."""
    arguments = make_parser().parse_args(argv)
    action: Callable[[argparse.Namespace], int] = arguments.action
    return action(arguments)


def make_parser() -> Parser:
    """The command's flags."""
    parser = Parser(prog="python -m platform.runs", description=DESCRIPTION, epilog=EPILOG)
    actions = parser.add_subparsers(metavar="ACTION", required=True, title="actions")

    def add(name: str, action: Callable[[argparse.Namespace], int], purpose: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        made.add_argument(
            "--runs",
            type=Path,
            default=default_folder("runs"),
            metavar="DIR",
            help="runs folder (default: runs)",
        )
        made.set_defaults(action=action)
        return made

    def named(made: argparse.ArgumentParser) -> None:
        made.add_argument("name", metavar="NAME", help="the experiment, as `ls` lists it")

    add("ls", _list, "list the experiments with state, score, hours and size")
    named(add("show", _show, "show an experiment's settings, rows, scores and where its files lie"))
    named(add("status", _status, "show progress, failures and the estimated end of an experiment"))
    add("du", _sizes, "show what takes how much, and what experiments share")
    comparison = add("compare", _compare, "show the settings that differ, and the paired difference")
    for place in ("FIRST", "SECOND"):
        comparison.add_argument(place.lower(), metavar=place, help="an experiment, as `ls` lists it")
    packing = add("bundle", _bundle, "write predictions, hashes and settings, without a face, into one file")
    named(packing)
    packing.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write, a zip")
    verifying = actions.add_parser(
        "verify",
        help="check a bundle: its hashes, and its table recomputed from its predictions",
        description="Check a bundle: recompute its hashes, and its table from its predictions.",
    )
    verifying.add_argument("file", type=Path, metavar="FILE", help="what `bundle` wrote")
    verifying.set_defaults(action=_verify)
    removal = add("rm", _remove, "show what would go with an experiment, and with --delete remove it")
    named(removal)
    removal.add_argument("--keep-results", action="store_true", help="remove the experiment's folder alone")
    cleaning = add("gc", _clean, "show what is no longer needed, and with --delete remove it")
    cleaning.add_argument(
        "--checkpoint-days",
        type=_days,
        default=30.0,
        metavar="DAYS",
        help="also remove checkpoints of runs that nobody has continued for so long (default: 30)",
    )
    for made in (removal, cleaning):
        made.add_argument("--delete", action="store_true", help="do it: without this flag nothing is removed")
    return parser


def _list(arguments: argparse.Namespace) -> int:
    from platform.cli.runs_screen import list_lines
    from platform.inventory.listing import list_experiments
    from platform.inventory.runs_folder import open_runs

    store = open_runs(arguments.runs)
    print("\n".join(list_lines(list_experiments(store), store.root)))
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from platform.cli.runs_screen import status_lines
    from platform.inventory.runs_folder import open_runs
    from platform.inventory.status import status_of

    print("\n".join(status_lines(status_of(open_runs(arguments.runs), arguments.name))))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    from platform.cli.runs_screen import shown_lines
    from platform.experiments.experiment_file import EXPERIMENT_FILE, read_experiment
    from platform.inventory.runs_folder import experiment_folder, open_runs

    store = open_runs(arguments.runs)
    folder = experiment_folder(store, arguments.name)
    experiment = read_experiment(store, arguments.name) if (folder / EXPERIMENT_FILE).exists() else None
    print("\n".join(shown_lines(store, folder, experiment, _settings(folder, experiment))))
    if experiment is None:
        print("\nrows: not known before the search has chosen")
        return 0
    from platform.aggregation.aggregate import aggregate_experiment
    from platform.tables.displayable import displayable
    from platform.tables.screen import render_screen
    from platform.tables.table import build_table

    table = build_table(aggregate_experiment(store, experiment, partial=True))
    print("\n" + render_screen(displayable(table), brief=True), end="")
    return 0


def _settings(folder: Path, experiment: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The resolved settings: of experiment.json, or of config.yaml before it exists."""
    from platform.config.settings_file import stored_settings
    from platform.inventory.runs_folder import SETTINGS_FILE

    if experiment is not None:
        return dict(experiment["config"])
    return stored_settings(folder / SETTINGS_FILE) if (folder / SETTINGS_FILE).exists() else {}


def _sizes(arguments: argparse.Namespace) -> int:
    from platform.cli.runs_screen import size_lines
    from platform.inventory.runs_folder import open_runs
    from platform.inventory.sizes import sizes_of

    print("\n".join(size_lines(sizes_of(open_runs(arguments.runs)))))
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from platform.cli.runs_screen import comparison_lines
    from platform.inventory.comparison import compare_experiments
    from platform.inventory.runs_folder import open_runs

    found = compare_experiments(open_runs(arguments.runs), arguments.first, arguments.second)
    print("\n".join(comparison_lines(found, arguments.first, arguments.second)))
    return 0


def _bundle(arguments: argparse.Namespace) -> int:
    import hashlib

    from platform.cli.sizes_text import bytes_text
    from platform.files.writing import write_atomically
    from platform.inventory.bundle import bundle_of
    from platform.inventory.runs_folder import open_runs

    content = bundle_of(open_runs(arguments.runs), arguments.name)
    write_atomically(arguments.out, content)
    print(f"wrote {arguments.out}, {bytes_text(len(content))}")
    print(f"SHA-256 of the file: {hashlib.sha256(content).hexdigest()} (publish it with the bundle)")
    print(f"Anybody can check it: python -m platform.runs verify {shlex.quote(str(arguments.out))}")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from platform.inventory.verification import verify_bundle
    from platform.tables.displayable import displayable
    from platform.tables.screen import render_screen

    found = verify_bundle(arguments.file)
    print(render_screen(displayable(found.table), brief=True))
    print(
        f"verified: every hash of {found.experiment} is right, and its table follows from the predictions of "
        f"its {found.fold_runs} fold runs ({found.predictions} predictions)."
    )
    print(f"SHA-256 of the file: {found.sha256} (compare it with the one that was published)")
    return 0


def _days(text: str) -> float:
    days = float(text)
    if not 0 <= days < 1e6:
        raise ValueError
    return days


def _remove(arguments: argparse.Namespace) -> int:
    from platform.cli.runs_screen import removal_lines
    from platform.inventory.removal import plan_removal, remove_experiment
    from platform.inventory.runs_folder import open_runs

    store = open_runs(arguments.runs)
    plan = plan_removal(store, arguments.name, keep_results=arguments.keep_results)
    if arguments.delete:
        remove_experiment(store, plan)
    print("\n".join(removal_lines(plan, store, done=arguments.delete)))
    return 0


def _clean(arguments: argparse.Namespace) -> int:
    from platform.cli.runs_screen import garbage_lines
    from platform.inventory.garbage import find_garbage, remove_garbage
    from platform.inventory.runs_folder import open_runs

    store = open_runs(arguments.runs)
    plan = find_garbage(store, checkpoint_days=arguments.checkpoint_days)
    if arguments.delete:
        remove_garbage(store, plan)
    print("\n".join(garbage_lines(plan, done=arguments.delete)))
    return 0
