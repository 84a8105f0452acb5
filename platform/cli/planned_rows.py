"""What the commands that plan their rows beforehand share: settings, sets to prepare, checks, the run."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from platform.cli.flags import resolve
from platform.cli.output import print_dry_run, print_presentation, shown, write_presentation
from platform.cli.run_flags import add_run_arguments, check_weights_of, prepare_if_embedded
from platform.config.configuration import Configuration, Plan
from platform.errors import UserError

if TYPE_CHECKING:
    from platform.experiments.experiment import Experiment
    from platform.experiments.rows import Effect, Row
    from platform.runs.fold_tasks import PlannedData


def add_rows_arguments(parser: argparse.ArgumentParser, *, without: tuple[str, ...] = ()) -> None:
    """The flags of a command that runs fold runs, but for those that its rows decide; `without`: more."""
    add_run_arguments(
        parser, search=False, without=("dataset", "transfer_to", "masks", "folds_only", *without)
    )


def settings_of(arguments: argparse.Namespace) -> tuple[Configuration, Plan]:
    """The configuration and plan that the flags give; nothing is searched. Raises UserError."""
    configuration, plan = resolve(arguments, selection_rule="paper", transfer_to="none")
    if plan.folds_only:
        raise UserError(
            "folds_only runs chosen folds of python -m platform.crossval, whose row says so; remove it from "
            "the settings of this command."
        )
    return configuration, plan


def prepare(
    arguments: argparse.Namespace,
    configuration: Configuration,
    plan: Plan,
    name: str,
    datasets: Iterable[str],
) -> None:
    """Check where results go and what the machine has, then prepare the embedded ones of `datasets`."""
    from platform.models import load_method
    from platform.runs.store import ResultsStore

    store = ResultsStore(Path(arguments.runs))
    store.experiment_folder(name)
    store.check_writable()
    for method in plan.baselines:
        load_method(method)
    if arguments.address is None:
        from platform.distributed.cluster import local_slots
        from platform.host.ray_paths import check_paths

        check_paths()
        local_slots(plan)
    for dataset in dict.fromkeys(datasets):
        prepare_if_embedded(Path(arguments.data_root), dataset, configuration.load_size_pixels)


def experiment_of(
    arguments: argparse.Namespace,
    command: list[str],
    name: str,
    settings: tuple[Configuration, Plan],
    rows: Sequence[Row],
    data: Sequence[PlannedData],
    effects: Sequence[Effect] = (),
) -> Experiment:
    """The experiment that has these rows. `command`: its name and arguments, as a person would type them."""
    from platform.experiments.experiment import Experiment
    from platform.runs.store import ResultsStore

    kind, *words = command
    return Experiment(
        name=name,
        command=shlex.join(["python", "-m", f"platform.{kind}", *words]),
        preset=arguments.preset,
        configuration=settings[0],
        plan=settings[1],
        planned=data[0],
        target=None,
        store=ResultsStore(Path(arguments.runs)),
        address=arguments.address,
        rows=tuple(rows),
        effects=tuple(effects),
        also=tuple(data[1:]),
    )


def run_rows(
    arguments: argparse.Namespace,
    experiment: Experiment,
    write_more: Callable[[dict[str, object]], str] | None = None,
) -> dict[str, object] | None:
    """Show the plan; then, unless it is a dry run, run what is missing and show the table.

    write_more: given what experiment.json holds, writes further files and returns what is printed below the
    table. Returns what experiment.json holds; None for a dry run.
    """
    from platform.experiments.capacity import check_capacity
    from platform.experiments.experiment import all_tasks, refuse_other_rows, refuse_other_settings
    from platform.experiments.row_needs import check_needs

    refuse_other_settings(experiment)
    refuse_other_rows(experiment)
    check_needs(all_tasks(experiment.rows), experiment.all_data)
    check_capacity(experiment, search=False)
    if not (experiment.configuration.weights == "imagenet" and (arguments.dry_run or arguments.address)):
        check_weights_of(experiment)
    _print_rows(experiment)
    if arguments.dry_run:
        print_dry_run(experiment, search=False)
        return None
    from platform.distributed.experiment import run_experiment
    from platform.experiments.driver_lease import leading
    from platform.monitoring.event_log import event_log

    with event_log(arguments.log_json) as log:
        with leading(experiment.folder) as leadership:
            content = run_experiment(experiment, leadership, search=False, log=log)
            presentation = write_presentation(experiment, content)
            more = None if write_more is None else write_more(content)
        print_presentation(content, presentation, [] if more is None else more.splitlines())
    return content


def _print_rows(experiment: Experiment) -> None:
    from platform.config.settings_file import show

    print(f"# {experiment.name}: resolved settings (stored in {shown(experiment.folder / 'config.yaml')})")
    print(show(experiment.configuration, experiment.plan), end="")
    for row in experiment.rows:
        described = row.describe("paper")
        print(
            f"# row: {described['title']} ({row.net}) on {described['dataset']}: {len(row.tasks)} fold runs "
            f"(rule {described['fold_rule']}), masks {described['masks']}, stage 1 {described['generator']}"
        )
    print(flush=True, end="")
