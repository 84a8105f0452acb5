"""Cross-validation of one fixed configuration and of the baselines.

No search: the configuration is the preset's, changed by flags or YAML (selection rule `paper`).
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from platform.cli.output import print_dry_run, print_plan, print_presentation, write_presentation
from platform.cli.parser import Parser, run
from platform.cli.run_flags import add_run_arguments, experiment_from
from platform.config.mask_source import mask_source

if TYPE_CHECKING:
    from platform.monitoring.event_log import EventLog

EXAMPLES = """examples:
  python -m platform.crossval                                   quick preset on the synthetic set
  python -m platform.crossval --dataset ckplus --preset paper   the paper's CK+ (needs CK+ and a GPU)
  python -m platform.crossval --method cnn --baselines "" --backbone resnet18
  python -m platform.crossval --dataset ckplus --masks released ~/FMPN/CK+
      FMPN's released motion masks instead of ours, and how alike the two are
  python -m platform.crossval --dry-run                         what would run, where and how long

next: python -m platform.table                                  all results as one table
"""


def main(argv: list[str]) -> int | None:
    """Parse, run, present. Returns the exit status."""
    parser = Parser(prog="python -m platform.crossval", description=__doc__, epilog=EXAMPLES)
    add_run_arguments(parser, search=False)
    arguments = parser.parse_args(argv)
    from platform.files.dry_run import dry_run
    from platform.monitoring.event_log import event_log

    with dry_run(arguments.dry_run), event_log(arguments.log_json) as log:
        return _run(arguments, argv, log)


def _run(arguments: argparse.Namespace, argv: list[str], log: EventLog | None) -> int | None:
    experiment = experiment_from(arguments, kind="crossval", argv=argv)
    print_plan(experiment, search=False)
    if arguments.dry_run:
        print_dry_run(experiment, search=False)
        return 0
    from platform.distributed.experiment import run_experiment
    from platform.experiments.driver_lease import leading

    with leading(experiment.folder) as leadership:
        content = run_experiment(experiment, leadership, search=False, log=log)
        presentation, agreement = write_presentation(experiment, content), []
        if mask_source(experiment.plan.masks).name == "released":
            from platform.reports.mask_agreement import write_mask_agreement

            agreement = write_mask_agreement(experiment)
    print_presentation(content, presentation, agreement)
    return 0


if __name__ == "__main__":
    run(main)
