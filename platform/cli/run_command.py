"""Run of a command: request, plan, fold runs, final screen."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from platform.cli.flags import departures
from platform.cli.output import print_dry_run, print_plan, print_presentation, write_presentation
from platform.cli.planning import Request, plan_request
from platform.cli.search_checks import any_trial_failed


def run_command(
    arguments: argparse.Namespace, argv: Sequence[str], request_from: Callable[[argparse.Namespace], Request]
) -> int:
    """Plan what the flags ask for, show the plan and, unless it is a dry run, run what is not cached.

    argv: the arguments as typed. request_from: the command's own reading of its flags.
    Returns the exit status: 1 if a trial failed after all retries, otherwise 0. Raises UserError.
    """
    from platform.files.dry_run import dry_run
    from platform.monitoring.event_log import event_log

    with dry_run(arguments.dry_run), event_log(arguments.log_json) as log:
        request = request_from(arguments)
        experiment = plan_request(request, arguments, argv)
        changed = departures(arguments, request.configuration, request.plan)
        in_full = arguments.verbose or arguments.dry_run
        print_plan(experiment, search=request.search, changed=changed, in_full=in_full)
        if arguments.dry_run:
            print_dry_run(experiment, search=request.search)
            for line in request.further_estimates(experiment):
                print(f"# {line}")
            return 0
        from platform.distributed.experiment import run_experiment
        from platform.experiments.driver_lease import leading

        with leading(experiment.folder) as leadership:
            content = run_experiment(experiment, leadership, search=request.search, log=log)
            presentation = write_presentation(experiment, content)
            further = request.further_results(experiment, content)
        print_presentation(content, presentation, further)
    return 1 if any_trial_failed(content) else 0
