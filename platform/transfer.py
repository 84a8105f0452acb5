"""Masks or a mask generator of one data set used on another.

As the paper does for AffectNet, which has no neutral faces: masks are made from all labelled faces of the
source and matched by class name, and stage 1 is left out. Several sources or targets form a matrix.
`--leave-one-out` instead trains on all of several data sets but one, and tests on that one.
"""

from __future__ import annotations

from platform.cli.parser import Parser, run
from platform.cli.run_command import run_command
from platform.cli.run_flags import DECIDED_BY_ROWS, add_run_arguments
from platform.cli.transfer_flags import add_transfer_flags, transfer_request
from platform.cli.usual_flags import RUN_FLAGS

EXAMPLES = """examples:
  python -m platform.transfer                                             synthetic masks, in-the-wild faces
  python -m platform.transfer --source ckplus --target affectnet --preset paper --repeats 3
      the paper's AffectNet experiment on three draws of its 9:1 split
  python -m platform.transfer --source ckplus,mmi --target mmi,ckplus,oulu_casia --classes common
      a matrix; its diagonal is each set's own cross-validation
  python -m platform.transfer --source ckplus --target mmi --transfer both
      CK+'s masks and CK+'s pretrained generator
  python -m platform.transfer --leave-one-out ckplus,mmi,oulu_casia --classes common
      trained on two of them, tested on the third; one fold per set
  python -m platform.transfer --dry-run                                   planned runs, resources and duration

next: python -m platform.table                                            all results in one table
"""


def main(argv: list[str]) -> int:
    """Parse, run, present. Returns the exit status."""
    parser = Parser(prog="python -m platform.transfer", description=__doc__, epilog=EXAMPLES, usual=RUN_FLAGS)
    add_transfer_flags(parser)
    add_run_arguments(parser, argv, search=False, without=(*DECIDED_BY_ROWS, "repeats"))
    return run_command(parser.parse_args(argv), argv, transfer_request)


if __name__ == "__main__":
    run(main)
