"""Planning of an experiment from the flags of a command.

Every command that runs fold runs makes a `Request`; `plan_request` turns it into an Experiment.
"""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.cli.automatic_settings import Decided, decide, place_of, with_sharing
from platform.cli.flags import automatic_settings, resolve
from platform.cli.resized_sets import resize_sets
from platform.cli.search_checks import check_baseline_searches, with_wanted_trials
from platform.cli.setting_checks import check_methods_and_batches, checked_plan, refuse_tuned_baselines
from platform.cli.space_flags import enqueue_source, fields_of_space_flags
from platform.cli.winner_settings import classes_remarks, left_behind
from platform.config.configuration import Configuration, Plan
from platform.config.mask_source import mask_setting
from platform.errors import UserError
from platform.search.storage import without_password

if TYPE_CHECKING:
    from platform.experiments.experiment import Experiment
    from platform.experiments.rows import RowsPlanner


def _nothing(*_: Any) -> Sequence[str]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """Request of one command, its flags resolved and checked."""

    command: str
    """The command's name, e.g. `tune`."""
    name: str
    """Name of the experiment unless --name gives one; the preset is added to it."""
    configuration: Configuration
    plan: Plan
    datasets: tuple[str, ...]
    """Data sets that the experiment reads; embedded ones are prepared."""
    plan_rows: RowsPlanner | None = None
    """Plans rows that are known in advance; None: they follow from the chosen configuration."""
    search: bool = False
    further_results: Callable[[Experiment, dict[str, Any]], Sequence[str]] = _nothing
    """Writes further files from the content of experiment.json; returns lines for the final screen."""
    further_estimates: Callable[[Experiment], Sequence[str]] = _nothing
    """Further lines of a dry run."""


def search_request(arguments: argparse.Namespace) -> Request:
    """The request of `tune`. Raises UserError; writes nothing."""
    arguments.masks = mask_setting(arguments.masks)
    configuration, plan = resolve(arguments, **left_behind(arguments), **fields_of_space_flags(arguments))
    plan = checked_plan(configuration, plan, search=True, enqueued_from=enqueue_source(arguments))
    check_baseline_searches(configuration, plan)
    return _on_one_set("tune", configuration, plan)


def crossval_request(arguments: argparse.Namespace) -> Request:
    """The request of `crossval`. Raises UserError; writes nothing."""
    arguments.masks = mask_setting(arguments.masks)
    configuration, plan = resolve(arguments, **left_behind(arguments), selection_rule="paper")
    return _on_one_set("crossval", configuration, checked_plan(configuration, plan, search=False))


def _on_one_set(command: str, configuration: Configuration, plan: Plan) -> Request:
    from platform.experiments.substitutes import source_sets

    return Request(
        command=command,
        name=f"{command}-{plan.dataset}",
        configuration=configuration,
        plan=plan,
        datasets=tuple(
            name for name in (plan.dataset, plan.transfer_to, *source_sets(plan)) if name != "none"
        ),
        search=command == "tune",
        further_results=_mask_agreement,
    )


def _mask_agreement(experiment: Experiment, content: dict[str, Any]) -> Sequence[str]:
    """Lines on the agreement of released masks with the masks that are built here."""
    from platform.config.mask_source import mask_source
    from platform.reports.mask_agreement import write_mask_agreement

    if mask_source(experiment.plan.masks).name != "released":
        return ()
    return write_mask_agreement(experiment)


def settings_without_data(arguments: argparse.Namespace, **forced: Any) -> tuple[Configuration, Plan]:
    """Configuration and plan of a command whose rows name their own data sets. Raises UserError.

    forced: further values that the command itself sets.
    """
    configuration, plan = resolve(arguments, selection_rule="paper", transfer_to="none", **forced)
    refuse_tuned_baselines(plan)
    if plan.fold_list:
        raise UserError(
            f"fold lists divide one data set, but this command has rows on several, and --folds is "
            f"{plan.fold_list}; pass a number of folds, or use python -m platform.crossval --dataset NAME "
            "for each."
        )
    if plan.folds_only:
        raise UserError(
            "folds_only runs chosen folds of python -m platform.crossval; remove it from this command's "
            "settings."
        )
    if plan.substitutes:
        raise UserError(
            "substitutes replace artifacts in python -m platform.crossval; remove them from this command's "
            "settings."
        )
    return configuration, plan


def plan_request(request: Request, arguments: argparse.Namespace, argv: Sequence[str]) -> Experiment:
    """The experiment that a request asks for. Prepares its embedded sets, except in a dry run.

    argv: the command's arguments as typed; they are stored as the command that repeats the experiment.
    UserError: anything wrong with data, name, folders or machine, before any result is written.
    """
    from platform.experiments.capacity import check_capacity
    from platform.runs.store import ResultsStore

    check_methods_and_batches(request.configuration, request.plan)
    name = arguments.name or _default_name(request, arguments.preset)
    runs_root = Path(arguments.runs)
    folder = ResultsStore(runs_root).experiment_folder(name)
    ResultsStore(runs_root).check_writable()
    with place_of(arguments) as place:
        decided = decide(
            request.configuration,
            request.plan,
            automatic_settings(arguments),
            place=place,
            folder=folder,
            asks=arguments.address is None or not arguments.dry_run,
        )
        experiment = _planned(request, decided, arguments, argv, name)
        check_capacity(experiment, search=request.search)
        experiment = with_sharing(experiment, decided, search=request.search)
    initial = getattr(experiment.configuration, "weights", "none")
    if not (initial == "imagenet" and (arguments.dry_run or arguments.address)):
        check_weights_of(experiment)
    return experiment


def _planned(
    request: Request, decided: Decided, arguments: argparse.Namespace, argv: Sequence[str], name: str
) -> Experiment:
    """The experiment on its prepared data, before it is known how fold runs share a GPU."""
    from platform.experiments.experiment import plan_experiment

    configuration, plan = decided.configuration, decided.plan
    data_root = Path(arguments.data_root)
    if arguments.address is None:
        from platform.distributed.cluster import local_slots
        from platform.host.ray_paths import check_paths

        check_paths()
        local_slots(plan)
    prepare_embedded(request, data_root)
    resize_sets(request.datasets, data_root, configuration.load_size_pixels)
    experiment = plan_experiment(
        name=name,
        command=shlex.join(["python", "-m", f"platform.{request.command}", *map(without_password, argv)]),
        preset=arguments.preset,
        dataset=plan.dataset,
        configuration=configuration,
        plan=plan,
        data_root=data_root,
        runs_root=Path(arguments.runs),
        search=request.search,
        address=arguments.address,
        plan_rows=request.plan_rows,
    )
    if request.plan_rows is None:
        remarks = classes_remarks(arguments, experiment)
        experiment = dataclasses.replace(experiment, remarks=(*experiment.remarks, *remarks))
    return with_wanted_trials(experiment, arguments.extend) if request.search else experiment


def _default_name(request: Request, preset: str) -> str:
    from datasets.catalogue import file_name

    folds = "".join(f"-{fold}" for fold in request.plan.folds_only)
    return f"{file_name(request.name)}-{preset}" + (folds and f"-folds{folds}")


def check_weights_of(experiment: Experiment) -> None:
    """UserError: initial weights that cannot be read or do not fit a backbone.

    May download ImageNet weights; so it is not called for them in a dry run, nor for a cluster, whose
    nodes download their own.
    """
    from platform.experiments.released_start import check_released_start
    from platform.models.networks.weights import is_released
    from platform.models.options.classification import ClassificationNet

    configuration = experiment.configuration
    if not isinstance(configuration, ClassificationNet):
        return
    data = [planned.data for planned in (experiment.planned, experiment.target) if planned]
    if is_released(configuration.weights):
        of_tasks = [task.data for row in experiment.rows for task in row.tasks]
        check_released_start(list(dict.fromkeys(of_tasks or data)), experiment.plan.folds_only)
        return
    of_rows = [one for row in experiment.rows for one in row.configurations]
    classifiers = [one for one in of_rows or [configuration] if isinstance(one, ClassificationNet)]
    for one in {(one.backbone, one.backbone_width, one.weights): one for one in classifiers}.values():
        one.check_weights([len(reference.class_names) for reference in data])


def prepare_embedded(request: Request, data_root: Path) -> None:
    """Draw and prepare the embedded sets of a request, with the layers that its methods read.

    UserError: a method needs sequences, and a set has none, for which nothing is drawn.
    """
    from datasets.prepared.layers import check_has_sequences
    from platform.config.configuration import configuration_of
    from platform.runs.planned_tasks import layers_needed

    methods = (request.configuration, *map(configuration_of, request.plan.baselines))
    needed = frozenset().union(*map(layers_needed, methods))
    datasets = tuple(dict.fromkeys(request.datasets))
    for dataset in datasets if "sequences" in needed else ():
        check_has_sequences(dataset)
    for dataset in datasets:
        prepare_if_embedded(data_root, dataset, request.configuration)
        prepare_layers_if_embedded(data_root, dataset, request.configuration, needed)


def prepare_layers_if_embedded(
    data_root: Path, dataset: str, configuration: Configuration, needed: Collection[str]
) -> None:
    """Add the layers that a prepared embedded set lacks. A dry run adds none."""
    from datasets.catalogue import describe
    from datasets.prepared.layer_files import layers_of
    from datasets.prepared.layer_frames import LayerSources
    from datasets.prepared.layer_preparation import prepare_layers
    from datasets.prepared.store import open_prepared, store_folder
    from platform.cli.progress_line import ProgressLine
    from platform.files.dry_run import is_dry_run

    folder = store_folder(data_root, dataset, configuration.load_size_pixels)
    lacking = sorted(set(needed) - set(layers_of(folder)))
    if not lacking or not describe(dataset).embedded or is_dry_run():
        return
    print(f"Adding the layers {', '.join(lacking)} to {dataset} (the first time only) ...", flush=True)
    store = open_prepared(data_root, dataset, configuration.load_size_pixels)
    prepare_layers(store, lacking, LayerSources(data_root=data_root), progress_of=ProgressLine)


def prepare_if_embedded(data_root: Path, dataset: str, configuration: Configuration) -> None:
    """Draw and prepare an embedded set unless it is prepared at that size. A dry run draws nothing.

    UserError: images too small for the configuration's net, for which nothing is drawn.
    """
    from datasets.catalogue import describe
    from datasets.prepared.preparation import prepare_dataset
    from datasets.prepared.store import store_folder
    from datasets.records import EXPRESSIONS
    from platform.cli.progress_line import ProgressLine
    from platform.files.dry_run import is_dry_run
    from platform.runs.cost import costs_of

    size_pixels = configuration.load_size_pixels
    if (
        describe(dataset).embedded
        and not is_dry_run()
        and not (store_folder(data_root, dataset, size_pixels) / "manifest.json").exists()
    ):
        # The set's own classes are not known yet; no net's smallest image depends on their number.
        costs_of(configuration, len(EXPRESSIONS))
        print(
            f"Preparing {dataset} at {size_pixels} px (drawn by this repository; the first time only) ...",
            flush=True,
        )
        prepare_dataset(
            dataset, size_pixels, data_root=data_root, progress=ProgressLine(f"aligned {dataset}")
        )
