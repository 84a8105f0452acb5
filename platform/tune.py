"""Hyperparameter search, then all folds of winner and baselines.

Run the same command again after any interruption: finished runs are reused, and the result is the same as
without the interruption.
"""

from __future__ import annotations

from platform.cli.parser import Parser, run
from platform.cli.planning import search_request
from platform.cli.run_command import run_command
from platform.cli.run_flags import add_run_arguments
from platform.cli.usual_flags import RUN_FLAGS

EXAMPLES = """examples:
  python -m platform.tune                                    the demo: synthetic faces, minutes on two cores
  python -m platform.tune --dataset mmi --preset paper       the paper's settings (MMI prepared, and a GPU)
  python -m platform.tune --backbone resnet18 --trials 20    another backbone to start from, more trials
  python -m platform.tune --selection-rule nested            a study for each outer fold
  python -m platform.tune --dry-run                          planned runs, resources and duration

next: python -m platform.table                               all results in one table
"""


def main(argv: list[str]) -> int:
    """Parse, run, present. Returns the exit status."""
    parser = Parser(prog="python -m platform.tune", description=__doc__, epilog=EXAMPLES, usual=RUN_FLAGS)
    add_run_arguments(parser, argv)
    return run_command(parser.parse_args(argv), argv, search_request)


if __name__ == "__main__":
    run(main)
