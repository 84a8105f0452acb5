"""Cross-validation of one fixed configuration and of the baselines.

No search: the configuration is the preset's, changed by flags or YAML (selection rule `paper`).
"""

from __future__ import annotations

from platform.cli.parser import Parser, run
from platform.cli.planning import crossval_request
from platform.cli.run_command import run_command
from platform.cli.run_flags import add_run_arguments
from platform.cli.usual_flags import RUN_FLAGS

EXAMPLES = """examples:
  python -m platform.crossval                                   quick preset on the synthetic set
  python -m platform.crossval --dataset ckplus --preset paper   the paper's CK+ (needs CK+ and a GPU)
  python -m platform.crossval --method cnn --baselines "" --backbone resnet18
  python -m platform.crossval --dataset ckplus --masks released ~/FMPN/CK+
      FMPN's released motion masks instead of ours, and the agreement of the two
  python -m platform.crossval --dry-run                         planned runs, resources and duration

next: python -m platform.table                                  all results in one table
"""


def main(argv: list[str]) -> int:
    """Parse, run, present. Returns the exit status."""
    parser = Parser(prog="python -m platform.crossval", description=__doc__, epilog=EXAMPLES, usual=RUN_FLAGS)
    add_run_arguments(parser, argv, search=False)
    return run_command(parser.parse_args(argv), argv, crossval_request)


if __name__ == "__main__":
    run(main)
