"""Carry motion masks or a pretrained mask generator from one data set to another, and measure what it brings.

As the paper does with AffectNet, which has no neutral faces: masks are borrowed by class name, from all of
the source's labelled faces, and stage 1 is left out. Several sources or targets make a matrix.
"""

from __future__ import annotations

from pathlib import Path

from platform.command import Parser, run
from platform.rows_command import add_rows_arguments, experiment_of, prepare, run_rows, settings_of

EXAMPLES = """examples:
  python -m platform.transfer                                             synthetic masks, faces in the wild
  python -m platform.transfer --source ckplus --target affectnet --preset paper --repeats 3
      the paper's AffectNet experiment on three draws of its 9:1 split
  python -m platform.transfer --source ckplus,mmi --target mmi,ckplus,oulu_casia --classes common
      a matrix; a set to itself is its own cross-validation
  python -m platform.transfer --source ckplus --target mmi --transfer both
      CK+'s masks and CK+'s pretrained generator
  python -m platform.transfer --dry-run                                   what would run, where and how long

next: python -m platform.table                                            all results as one table
"""


def main(argv: list[str]) -> int | None:
    """Parse, run, present. Returns the exit status."""
    parser = Parser(prog="python -m platform.transfer", description=__doc__, epilog=EXAMPLES)
    add = parser.add_argument
    add("--source", default="synthetic", metavar="A,B,...", help="data sets that lend (default: synthetic)")
    add("--target", default="synthetic_wild", metavar="A,B,...",
        help="data sets that borrow (default: synthetic_wild)")  # fmt: skip
    add("--transfer", default="masks", metavar="masks|generator|both",
        help="what is lent: motion masks, the mask generator pretrained on the source, or both")  # fmt: skip
    add(
        "--stage1",
        default="no",
        metavar="yes|no",
        help="pretrain the generator on the target with lent masks",
    )
    add(
        "--classes",
        default="all",
        metavar="all|common",
        help="common: leave out classes that not all sets have",
    )
    add("--repeats", default="1", metavar="N", help="draws of a target's single split (rule holdout)")
    add_rows_arguments(parser)
    arguments = parser.parse_args(argv)
    from platform.results.transfer_plan import plan_transfer, transfer_from

    transfer = transfer_from(arguments)
    configuration, plan = settings_of(arguments)
    name = arguments.name or f"transfer-{transfer.name}-{arguments.preset}"
    prepare(arguments, configuration, plan, name, (*transfer.sources, *transfer.targets))
    planned = plan_transfer(transfer, configuration, plan, Path(arguments.data_root))
    for sentence in planned.empty:
        print(f"# empty cell: {sentence}")
    experiment = experiment_of(
        arguments, ["transfer", *argv], name, (configuration, plan), planned.rows, planned.data
    )
    run_rows(arguments, experiment)
    return 0


if __name__ == "__main__":
    run(main)
