"""Hyperparameter search, then all folds of winner and baselines.

Run the same command again after any interruption: what is finished is reused, and the result is
the same as without the interruption.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from platform.cli.output import print_dry_run, print_plan, print_presentation, write_presentation
from platform.cli.parser import Parser, run
from platform.cli.run_flags import add_run_arguments, experiment_from
from platform.cli.search_checks import any_trial_failed

if TYPE_CHECKING:
    from platform.monitoring.event_log import EventLog

EXAMPLES = """examples:
  python -m platform.tune                                    the demo: synthetic faces, minutes on two cores
  python -m platform.tune --dataset mmi --preset paper       the paper's size (needs MMI prepared, and a GPU)
  python -m platform.tune --backbone resnet18 --trials 20    other starting point, more trials
  python -m platform.tune --selection-rule nested            a study for each outer fold
  python -m platform.tune --dry-run                          what would run, where and how long

next: python -m platform.table                               all results as one table
"""


def main(argv: list[str]) -> int | None:
    """Parse, run, present. Returns the exit status."""
    parser = Parser(prog="python -m platform.tune", description=__doc__, epilog=EXAMPLES)
    add_run_arguments(parser)
    arguments = parser.parse_args(argv)
    from platform.files.dry_run import dry_run
    from platform.monitoring.event_log import event_log

    with dry_run(arguments.dry_run), event_log(arguments.log_json) as log:
        return _run(arguments, argv, log)


def _run(arguments: argparse.Namespace, argv: list[str], log: EventLog | None) -> int | None:
    experiment = experiment_from(arguments, kind="tune", argv=argv)
    print_plan(experiment, search=True)
    if arguments.dry_run:
        print_dry_run(experiment, search=True)
        return 0
    from platform.distributed.experiment import run_experiment
    from platform.experiments.driver_lease import leading

    with leading(experiment.folder) as leadership:
        content = run_experiment(experiment, leadership, search=True, log=log)
        presentation = write_presentation(experiment, content)
    print_presentation(content, presentation)
    return 1 if any_trial_failed(content) else 0


if __name__ == "__main__":
    run(main)
