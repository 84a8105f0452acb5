"""Masks or a mask generator of one data set used on another.

As the paper does with AffectNet, which has no neutral faces: masks are borrowed by class name, from all of
the source's labelled faces, and stage 1 is left out. Several sources or targets make a matrix.
`--leave-one-out` instead trains on all of several data sets but one, and tests on that one.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from platform.cli.known_names import known_names
from platform.cli.parser import Parser, run
from platform.cli.planned_rows import add_rows_arguments, experiment_of, prepare, run_rows, settings_of

if TYPE_CHECKING:
    from platform.config.configuration import Configuration, Plan

EXAMPLES = """examples:
  python -m platform.transfer                                             synthetic masks, faces in the wild
  python -m platform.transfer --source ckplus --target affectnet --preset paper --repeats 3
      the paper's AffectNet experiment on three draws of its 9:1 split
  python -m platform.transfer --source ckplus,mmi --target mmi,ckplus,oulu_casia --classes common
      a matrix; a set to itself is its own cross-validation
  python -m platform.transfer --source ckplus --target mmi --transfer both
      CK+'s masks and CK+'s pretrained generator
  python -m platform.transfer --leave-one-out ckplus,mmi,oulu_casia --classes common
      trained on two of them, tested on the third; a fold for each
  python -m platform.transfer --dry-run                                   what would run, where and how long

next: python -m platform.table                                            all results as one table
"""


def main(argv: list[str]) -> int | None:
    """Parse, run, present. Returns the exit status."""
    parser = Parser(prog="python -m platform.transfer", description=__doc__, epilog=EXAMPLES)
    add = parser.add_argument
    add("--source", metavar="A,B,...",
        help=f"source data sets (default: synthetic).{known_names('dataset')}")  # fmt: skip
    add("--target", metavar="A,B,...", help="target data sets (default: synthetic_wild)")
    add("--leave-one-out", metavar="A,B,...",
        help="lend nothing: train on all these sets but one and test on that one, each in turn")  # fmt: skip
    add("--transfer", metavar="masks|generator|both",
        help="what is lent: motion masks (default), the source's pretrained generator, or both")  # fmt: skip
    add("--stage1", metavar="yes|no",
        help="pretrain the generator on the target with lent masks (default: no)")  # fmt: skip
    add(
        "--classes",
        default="all",
        metavar="all|common",
        help="common: leave out classes that not all sets have",
    )
    add("--repeats", metavar="N", help="draws of a target's single split (rule holdout; default: 1)")
    add_rows_arguments(parser)
    arguments = parser.parse_args(argv)
    from platform.files.dry_run import dry_run

    configuration, plan = settings_of(arguments)
    with dry_run(arguments.dry_run):
        if arguments.leave_one_out is None:
            _transfer(arguments, argv, configuration, plan)
        else:
            _leave_one_out(arguments, argv, configuration, plan)
    return 0


def _transfer(
    arguments: argparse.Namespace, argv: list[str], configuration: Configuration, plan: Plan
) -> None:
    from platform.cli.transfer_flags import transfer_from
    from platform.experiments.transfer import plan_transfer

    transfer = transfer_from(arguments)
    name = arguments.name or f"transfer-{transfer.name}-{arguments.preset}"
    prepare(arguments, configuration, plan, name, (*transfer.sources, *transfer.targets))
    planned = plan_transfer(transfer, configuration, plan, Path(arguments.data_root))
    for sentence in planned.empty:
        print(f"# empty cell: {sentence}")
    experiment = experiment_of(
        arguments, ["transfer", *argv], name, (configuration, plan), planned.rows, planned.data
    )
    run_rows(arguments, experiment)


def _leave_one_out(
    arguments: argparse.Namespace, argv: list[str], configuration: Configuration, plan: Plan
) -> None:
    from platform.cli.progress_line import ProgressLine
    from platform.cli.transfer_flags import left_out_sets_from
    from platform.experiments.leave_one_out import plan_rows

    wanted = left_out_sets_from(arguments, plan)
    name = arguments.name or f"transfer-{wanted.name}-{arguments.preset}"
    prepare(arguments, configuration, plan, name, wanted.names)
    rows, data = plan_rows(
        wanted, configuration, plan, Path(arguments.data_root), ProgressLine("sets as one")
    )
    experiment = experiment_of(arguments, ["transfer", *argv], name, (configuration, plan), rows, (data,))
    run_rows(arguments, experiment)


if __name__ == "__main__":
    run(main)
