"""What the commands that run fold runs share: flags, preparing the embedded data, checks."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from platform.cli.flags import add_settings, resolve
from platform.cli.search_checks import check_enqueued_fit, check_sampler, with_wanted_trials
from platform.cli.space_flags import PARAMETER_FIELDS, add_space_flags, enqueue_source, fields_of_space_flags
from platform.config.configuration import Configuration, Plan, plan_with
from platform.config.mask_source import mask_setting, mask_source
from platform.errors import UserError
from platform.search.storage import without_password

if TYPE_CHECKING:
    from platform.experiments.experiment import Experiment

SEARCH_FIELDS = (
    "selection_rule", "space", "trials", "trials_in_flight", "rounds", "pruning", "asynchronous", "sampler",
    "objectives", "storage",
)  # fmt: skip


def add_run_arguments(
    parser: argparse.ArgumentParser, *, search: bool = True, without: tuple[str, ...] = ()
) -> None:
    """The flags of a command that runs fold runs; none for the settings `without`."""
    parser.add_argument("--dry-run", action="store_true", help="show what would run, and run nothing")
    parser.add_argument("--name", help="name of the experiment (default: command-dataset-preset)")
    parser.add_argument("--runs", default="runs", metavar="DIR", help="folder of all results (default: runs)")
    parser.add_argument(
        "--data-root", default="data", metavar="DIR", help="folder of prepared data (default: data)"
    )
    parser.add_argument(
        "--address", metavar="A", help="Ray cluster to use, e.g. auto (default: start one on this machine)"
    )
    parser.add_argument(
        "--log-json", metavar="FILE|-",
        help="add a line of JSON for every event (docs/performance.md); -: to standard output, and what is "
        "for people to standard error",
    )  # fmt: skip
    if "masks" not in without:
        parser.add_argument(
            "--masks", nargs="+", metavar=("own|CONTROL|released", "DIR"),
            help="own (default): motion masks of each fold's training subjects; permuted, uniform, centre or "
            "random: a control that carries no prior of the class; released DIR: those of a folder in "
            "FMPN's released layout; permuted released DIR: those, each class with another one's (all but "
            "own: crossval only)",
        )  # fmt: skip
    if search:
        parser.add_argument(
            "--extend", metavar="N", type=int,
            help="add N trials to a finished search of this name and settings (docs/studies.md)",
        )  # fmt: skip
        add_space_flags(parser)
    own = ("masks", *PARAMETER_FIELDS)
    add_settings(parser, without=(*own, *without, *(("folds_only",) if search else SEARCH_FIELDS)))


def experiment_from(arguments: argparse.Namespace, *, kind: str, argv: list[str]) -> Experiment:
    """The experiment that the arguments ask for; prepares the embedded sets it needs, but not in a dry run.

    Raises UserError for anything that is wrong with them, before anything is written.
    """
    search = kind == "tune"
    arguments.masks = mask_setting(arguments.masks)
    forced = fields_of_space_flags(arguments) if search else {"selection_rule": "paper"}
    configuration, plan = resolve(arguments, **forced)
    plan = _checked(configuration, plan, search=search, enqueued_from=enqueue_source(arguments))
    from platform.experiments.experiment import plan_experiment
    from platform.runs.store import ResultsStore

    some = "".join(f"-{fold}" for fold in plan.folds_only)
    name = arguments.name or f"{kind}-{plan.dataset}-{arguments.preset}" + (some and f"-folds{some}")
    runs_root, data_root = Path(arguments.runs), Path(arguments.data_root)
    ResultsStore(runs_root).experiment_folder(name)
    ResultsStore(runs_root).check_writable()
    if arguments.address is None:
        from platform.distributed.cluster import local_slots
        from platform.host.ray_paths import check_paths

        check_paths()
        local_slots(plan)
    for dataset in dict.fromkeys((plan.dataset, plan.transfer_to)):
        if dataset != "none":
            prepare_if_embedded(data_root, dataset, configuration.load_size_pixels)
    experiment = plan_experiment(
        name=name,
        command=shlex.join(["python", "-m", f"platform.{kind}", *map(without_password, argv)]),
        preset=arguments.preset,
        dataset=plan.dataset,
        configuration=configuration,
        plan=plan,
        data_root=data_root,
        runs_root=runs_root,
        search=search,
        address=arguments.address,
    )
    if search:
        experiment = with_wanted_trials(experiment, arguments.extend)
    from platform.experiments.capacity import check_capacity

    check_capacity(experiment, search=search)
    if not (configuration.weights == "imagenet" and (arguments.dry_run or arguments.address)):
        check_weights_of(experiment)
    return experiment


def check_weights_of(experiment: Experiment) -> None:
    """Weights that cannot be had, or do not fit, are found before any run starts. May fetch ImageNet's,
    so a dry run and a cluster, whose nodes fetch for themselves, are asked nothing of them."""
    from platform.experiments.released_start import check_released_start
    from platform.models.networks.backbone_nets import check_weights
    from platform.models.networks.weights import is_released

    configuration = experiment.configuration
    data = [planned.data for planned in (experiment.planned, experiment.target) if planned]
    if is_released(configuration.weights):
        of_tasks = [task.data for row in experiment.rows for task in row.tasks]
        check_released_start(list(dict.fromkeys(of_tasks or data)), experiment.plan.folds_only)
        return
    of_rows = [one.backbone for row in experiment.rows for one in row.configurations]
    for backbone in dict.fromkeys(of_rows or [configuration.backbone]):
        check_weights(
            backbone,
            width=configuration.backbone_width,
            weights=configuration.weights,
            class_counts=[len(one.class_names) for one in data],
        )


def _checked(configuration: Configuration, plan: Plan, *, search: bool, enqueued_from: str = "") -> Plan:
    """`plan` with `auto` resolved; UserError for an unknown data set, method or space."""
    from datasets.catalogue import describe
    from platform.models import load_method

    if search:
        plan = _checked_search(plan)
    if plan.transfer_to == "auto":
        lends = search and plan.dataset == "synthetic" and plan.selection_rule != "nested"
        plan = plan_with(plan, transfer_to="synthetic_wild" if lends else "none")
    _check_batches(configuration, plan)
    if describe(plan.dataset).embedded and plan.fold_rule == "paper":
        _check_fold_count(plan)
    if plan.transfer_to != "none":
        describe(plan.transfer_to)
        if configuration.freeze_generator:
            raise UserError(
                "freeze_generator keeps the mask generator of stage 1, which a mask transfer has not; pass "
                "--transfer-to none, or --freeze-generator no."
            )
    if plan.transfer_to == plan.dataset:
        raise UserError(
            f"masks must be transferred to another data set, but transfer_to is {plan.dataset} itself, whose "
            f"test subjects would reach them; pass another --transfer-to, or none."
        )
    for method in plan.baselines:
        load_method(method)
    if plan.folds_only and (search or plan.transfer_to != "none"):
        raise UserError(
            "folds_only runs chosen folds of python -m platform.crossval without a mask transfer; remove it "
            "from the settings, or pass --transfer-to none."
        )
    if search and plan.masks != "own":
        raise UserError(
            f"--masks {mask_source(plan.masks).name} works with crossval only: a search "
            "builds masks from inner training subjects; search with --masks own."
        )
    if search:
        from platform.search.definition import definition_of_space

        definition = definition_of_space(
            plan.space, configuration, fixed=plan.fixed, enqueued=plan.enqueued, enqueued_from=enqueued_from
        )
        check_sampler(plan, definition)
        check_enqueued_fit(plan, definition)
    return plan


def _checked_search(plan: Plan) -> Plan:
    """`plan` with its rounds; UserError for a rule that a search cannot follow."""
    from platform.config.selection import SEARCHED_RULES, default_rounds, steps_a_trial

    rule = plan.selection_rule
    if rule not in SEARCHED_RULES:
        raise UserError(
            f"a search chooses by {', '.join(SEARCHED_RULES)}, but selection_rule is {rule!r}; settings that "
            "are fixed beforehand need no search: use python -m platform.crossval."
        )
    if rule == "nested" and plan.transfer_to not in ("auto", "none"):
        raise UserError(
            "a mask transfer trains one configuration, but the rule `nested` chooses one for each fold; pass "
            "--transfer-to none, or --selection-rule inner."
        )
    if plan.rounds or plan.fold_rule != "paper":
        return plan
    return plan_with(plan, rounds=default_rounds(steps_a_trial(rule, plan.folds)))


def _check_batches(configuration: Configuration, plan: Plan) -> None:
    """Refuse a batch that leaves a Train worker without an image."""
    for name in ("stage1_batch_size", "stage2_batch_size"):
        size = getattr(configuration, name)
        if size < plan.train_workers:
            raise UserError(
                f"{name} must be at least the number of Train workers, {plan.train_workers}, but got {size}; "
                f"raise --{name.replace('_', '-')} or lower --train-workers."
            )


def _check_fold_count(plan: Plan) -> None:
    """Refuse more folds than an embedded set has subjects before the set is drawn."""
    from datasets.catalogue import undrawn_records
    from datasets.folds.rules import paper_folds

    subjects = {record.subject_id for record in undrawn_records(plan.dataset)}
    paper_folds(subjects, plan.folds)


def prepare_if_embedded(data_root: Path, dataset: str, size_pixels: int) -> None:
    """Draw and prepare an embedded set that is not there at that size; a dry run plans it without."""
    from datasets.catalogue import describe
    from datasets.prepared.preparation import prepare_dataset
    from datasets.prepared.store import store_folder
    from platform.cli.progress_line import ProgressLine
    from platform.files.dry_run import is_dry_run

    if (
        describe(dataset).embedded
        and not is_dry_run()
        and not (store_folder(data_root, dataset, size_pixels) / "manifest.json").exists()
    ):
        print(
            f"Preparing {dataset} at {size_pixels} px (drawn by this repository; the first time only) ...",
            flush=True,
        )
        prepare_dataset(
            dataset, size_pixels, data_root=data_root, progress=ProgressLine(f"aligned {dataset}")
        )
