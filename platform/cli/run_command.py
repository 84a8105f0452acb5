"""Run of a command: request, plan, fold runs, final screen."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Sequence

from platform.cli.cluster_check import check_cluster
from platform.cli.flags import automatic_settings, departures
from platform.cli.output import print_dry_run, print_plan, print_presentation, write_presentation
from platform.cli.planning import Request, plan_request
from platform.cli.reference_check import check_planned_reference
from platform.cli.run_flags import DECIDED_BY_ROWS
from platform.cli.search_checks import any_trial_failed
from platform.cli.setting_checks import check_gpus, check_methods_and_batches
from platform.config.settings_file import SEARCH_FIELDS, settings_yaml
from platform.search.storage import without_password


def run_command(
    arguments: argparse.Namespace, argv: Sequence[str], request_from: Callable[[argparse.Namespace], Request]
) -> int:
    """Plan what the flags ask for, show the plan and, unless it is a dry run, run what is not cached.

    With `--print-config` print the settings alone: no data is opened.

    argv: the arguments as typed. request_from: the command's own reading of its flags.
    Returns the exit status: 1 if a trial failed after all retries, otherwise 0. Raises UserError.
    """
    from platform.files.dry_run import dry_run
    from platform.monitoring.event_log import event_log

    log_to = None if arguments.print_config else arguments.log_json
    with dry_run(arguments.dry_run or arguments.print_config), event_log(log_to) as log:
        request = request_from(arguments)
        if arguments.print_config:
            print(printed_config(request, argv, automatic_settings(arguments)), end="")
            return 0
        check_gpus(request.plan)
        about_cluster = check_cluster(arguments, request.plan, automatic_settings(arguments))
        experiment = plan_request(request, arguments, argv)
        check_planned_reference(experiment, arguments.reference)
        changed = departures(arguments, request.configuration, request.plan)
        in_full = arguments.verbose or arguments.dry_run
        print_plan(experiment, search=request.search, changed=changed, in_full=in_full)
        if arguments.dry_run:
            print_dry_run(experiment, search=request.search)
            for line in [*about_cluster, *request.further_estimates(experiment)]:
                print(f"# {line}")
            return 0
        from platform.distributed.experiment import run_experiment
        from platform.experiments.driver_lease import leading

        with leading(experiment.folder) as leadership:
            content = run_experiment(experiment, leadership, search=request.search, log=log)
            if arguments.reference is not None:
                content = {**content, "reference": arguments.reference}
            presentation = write_presentation(experiment, content)
            further = request.further_results(experiment, content)
        print_presentation(content, presentation, further)
    return 1 if any_trial_failed(content) else 0


def printed_config(request: Request, argv: Sequence[str], automatic: frozenset[str] = frozenset()) -> str:
    """The settings of a request as YAML that `--config` of the same command reads back.

    argv: the arguments as typed. automatic: settings that are `auto`, which planning decides. A command whose
    rows name their own data sets has flags that are no settings, which a comment repeats.
    """
    check_methods_and_batches(request.configuration, request.plan)
    lines = [f"# Settings of {request.command}: `{request.command} --config FILE` reads them back."]
    if request.plan_rows is not None:
        typed = shlex.join(without_password(word) for word in argv if word != "--print-config")
        lines.append(f"# Its flags for data sets and rows are no settings; given were: {typed or 'none'}")
    settings = settings_yaml(
        request.configuration, request.plan, without=_not_read(request), automatic=automatic
    )
    return "\n".join([*lines, settings])


def _not_read(request: Request) -> tuple[str, ...]:
    """Fields of the plan that the command does not read from a file."""
    if request.search:
        return ()
    return SEARCH_FIELDS if request.plan_rows is None else (*SEARCH_FIELDS, *DECIDED_BY_ROWS, "fold_rule")
