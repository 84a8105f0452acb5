"""The FMPN paper's experiments as one: rows, ablations, controls.

CK+ and MMI on ten folds, AffectNet with CK+'s masks; on synthetic counterparts unless --dataset paper. All
fold runs are dispatched at once, longest first, and share stage 1. Run it again after preparing a further
data set: only the new rows run, and the table grows.
"""

from __future__ import annotations

from platform.cli.parser import Parser, run
from platform.cli.reproduction_flags import (
    OWN_FLAGS,
    ROWS_DECIDE,
    add_reproduction_flags,
    reproduction_request,
)
from platform.cli.run_command import run_command
from platform.cli.run_flags import DECIDED_BY_ROWS, add_run_arguments
from platform.cli.usual_flags import RUN_FLAGS

EXAMPLES = """examples:
  python -m platform.reproduce                                   synthetic counterparts, minutes on two cores
  python -m platform.reproduce --dataset paper --preset paper    CK+, MMI and AffectNet (prepared, and a GPU)
  python -m platform.reproduce --backbones inception_v3,resnet50 --seeds 5
  python -m platform.reproduce --repeats 3
      also on two further divisions of the subjects: does the order of the methods hold?
  python -m platform.reproduce --dry-run --cluster-slots 8 --price-per-hour 4
      planned runs, duration with eight fold runs at once, and cost

next: python -m platform.table                                   all results in one table
"""


def main(argv: list[str]) -> int:
    """Parse, run, present. Returns the exit status."""
    parser = Parser(
        prog="python -m platform.reproduce", description=__doc__, epilog=EXAMPLES, usual=RUN_FLAGS
    )
    add_reproduction_flags(parser)
    add_run_arguments(parser, argv, search=False, without=(*DECIDED_BY_ROWS, *ROWS_DECIDE, *OWN_FLAGS))
    return run_command(parser.parse_args(argv), argv, reproduction_request)


if __name__ == "__main__":
    run(main)
