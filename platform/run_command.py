"""What `tune` and `crossval` share: flags, preparing the embedded data, the plan and the ending."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.config import Configuration, Plan, plan_with
from platform.errors import UserError
from platform.flags import add_settings, resolve

if TYPE_CHECKING:
    from platform.results.experiment_plan import Experiment

PARAMETER_FIELDS = ("fixed", "enqueued")
"""Fields of the plan that `--set` and `--enqueue` give."""
SEARCH_FIELDS = ("selection_rule", "space", "trials", "trials_in_flight", "rounds", "pruning")


SCORED_ON = {
    "inner": "scored on inner validation subjects only",
    "nested": "scored on inner validation subjects of that fold only",
    "test": "scored on the TEST folds: leakage, only to show the gap",
}


def add_run_arguments(parser: argparse.ArgumentParser, *, search: bool = True) -> None:
    """The flags of a command that runs fold runs."""
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
        "--masks", nargs="+", metavar=("own|released", "DIR"),
        help="own (default): motion masks of each fold's training subjects; released DIR: those of a folder "
        "in FMPN's released layout (crossval only)",
    )  # fmt: skip
    if search:
        parser.add_argument(
            "--set", action="append", metavar="PARAMETER=VALUE", dest="set_parameters",
            help="do not search this parameter of the space: all trials have this value (repeatable)",
        )  # fmt: skip
        parser.add_argument(
            "--enqueue", metavar="FILE",
            help="YAML or JSON list of parameter values to try after the space's own first configurations",
        )  # fmt: skip
    own = ("masks", *PARAMETER_FIELDS)
    add_settings(parser, without=own if search else (*own, *SEARCH_FIELDS))


def _masks_setting(words: list[str] | None) -> str | None:
    """The field `masks` from the words after `--masks`."""
    if words is None or words == ["own"]:
        return None if words is None else "own"
    if len(words) != 2 or words[0] != "released":
        raise UserError(f"--masks takes `own`, or `released DIR`, but got {' '.join(words)!r}.")
    return str(Path(words[1]).absolute())


def _parameters_of_space(arguments: argparse.Namespace) -> dict[str, Any]:
    """Fields of the plan from `--set` and `--enqueue`, where they are given."""
    from platform.results.enqueued import read_enqueue_file

    fields: dict[str, Any] = {}
    if arguments.set_parameters:
        fields["fixed"] = tuple(sorted(arguments.set_parameters))
    if arguments.enqueue:
        fields["enqueued"] = read_enqueue_file(Path(arguments.enqueue))
    return fields


def experiment_from(arguments: argparse.Namespace, *, kind: str, argv: list[str]) -> Experiment:
    """The experiment that the arguments ask for; prepares the embedded sets it needs.

    Raises UserError for anything that is wrong with them, before anything is written.
    """
    search = kind == "tune"
    arguments.masks = _masks_setting(arguments.masks)
    forced = _parameters_of_space(arguments) if search else {"selection_rule": "paper"}
    configuration, plan = resolve(arguments, **forced)
    enqueued_from = getattr(arguments, "enqueue", None) or "the field `enqueued` of --config"
    plan = _checked(configuration, plan, search=search, enqueued_from=enqueued_from)
    from platform.results.experiment_plan import plan_experiment
    from platform.results.store import ResultsStore

    name = arguments.name or f"{kind}-{plan.dataset}-{arguments.preset}"
    runs_root, data_root = Path(arguments.runs), Path(arguments.data_root)
    ResultsStore(runs_root).experiment_folder(name)
    ResultsStore(runs_root).check_writable()
    if arguments.address is None:
        from platform.distributed.cluster import local_slots

        local_slots(plan)
    for dataset in dict.fromkeys((plan.dataset, plan.transfer_to)):
        if dataset != "none":
            _prepare_if_embedded(data_root, dataset, configuration.load_size_pixels)
    experiment = plan_experiment(
        name=name,
        command=shlex.join(["python", "-m", f"platform.{kind}", *argv]),
        preset=arguments.preset,
        dataset=plan.dataset,
        configuration=configuration,
        plan=plan,
        data_root=data_root,
        runs_root=runs_root,
        search=search,
        address=arguments.address,
    )
    from platform.distributed.capacity import check_capacity

    check_capacity(experiment, search=search)
    if not (configuration.weights == "imagenet" and (arguments.dry_run or arguments.address)):
        _check_weights(experiment)
    return experiment


def _check_weights(experiment: Experiment) -> None:
    """Weights that cannot be had, or do not fit, are found before any run starts. May fetch ImageNet's,
    so a dry run and a cluster, whose nodes fetch for themselves, are asked nothing of them."""
    from platform.models.networks.backbones import check_weights

    configuration = experiment.configuration
    data = [planned.data for planned in (experiment.planned, experiment.target) if planned]
    check_weights(
        configuration.backbone,
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
    if search and plan.masks != "own":
        raise UserError(
            "--masks released works with crossval only: a search builds masks from inner training subjects, "
            "which no release has; search with --masks own."
        )
    if search:
        from platform.results.study import definition_of_space

        definition_of_space(
            plan.space, configuration, fixed=plan.fixed, enqueued=plan.enqueued, enqueued_from=enqueued_from
        )
    return plan


def _checked_search(plan: Plan) -> Plan:
    """`plan` with its rounds; UserError for a rule that a search cannot follow."""
    from platform.selection import SEARCHED_RULES, default_rounds, steps_a_trial

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


def _check_fold_count(plan: Plan) -> None:
    """Refuse more folds than an embedded set has subjects before the set is drawn."""
    from datasets.folds import paper_folds
    from datasets.synthetic.sets import SYNTHETIC_SETS

    paper_folds(map(str, range(SYNTHETIC_SETS[plan.dataset].subjects)), plan.folds)


def _prepare_if_embedded(data_root: Path, dataset: str, size_pixels: int) -> None:
    from datasets.catalogue import describe
    from datasets.preparation import prepare_dataset
    from datasets.store import store_folder
    from platform.progress import ProgressLine

    if (
        describe(dataset).embedded
        and not (store_folder(data_root, dataset, size_pixels) / "manifest.json").exists()
    ):
        print(
            f"Preparing {dataset} at {size_pixels} px (drawn by this repository; the first time only) ...",
            flush=True,
        )
        prepare_dataset(
            dataset, size_pixels, data_root=data_root, progress=ProgressLine(f"aligned {dataset}")
        )


def print_plan(experiment: Experiment, *, search: bool) -> None:
    """The resolved settings and what they mean, before anything runs."""
    from platform.results.settings_file import show

    plan, planned = experiment.plan, experiment.planned
    print(f"# {experiment.name}: resolved settings (stored in {_shown(experiment.folder / 'config.yaml')})")
    print(show(experiment.configuration, plan), end="")
    subjects, images = len(planned.images_of_subject), sum(planned.images_of_subject.values())
    print(
        f"# {plan.dataset}: {images} images of {subjects} subjects, {len(planned.data.class_names)} classes, "
        f"{len(planned.folds.folds)} folds (rule {planned.folds.rule})"
    )
    if search:
        studies = experiment.scopes
        per_study = "" if len(studies) == 1 else f"{len(studies)} studies (one an outer fold) x "
        print(
            f"# search: {per_study}{plan.trials} trials x up to {len(studies[0].steps)} fold runs (space "
            f"{plan.space}, {SCORED_ON[plan.selection_rule]}), then all folds of the winner and of "
            f"{len(plan.baselines)} baselines"
        )
    target = experiment.target.data.dataset if experiment.target else "none"
    print(f"# mask transfer to: {target}", flush=True)


def print_dry_run(experiment: Experiment, *, search: bool) -> None:
    """Fold runs, resources and an estimate."""
    from platform.distributed.forecast import forecast, resources

    print(f"# resources: {resources(experiment, search=search)}")
    for line in forecast(experiment, search=search):
        print(f"# {line}")
    print("# dry run: nothing was run")


def print_presentation(experiment: Experiment, content: dict[str, Any]) -> None:
    """The table, where everything lies, and what to do next."""
    from platform.results.contact_sheet import write_contact_sheet
    from platform.results.present import present, shown_path

    sheet = experiment.folder / "figures" / "faces.png"
    write_contact_sheet(Path(experiment.planned.data.folder), sheet)
    presentation = present(experiment.store, content, {"Faces: a sample of subjects and classes": sheet})
    print()
    print(presentation.text)
    print()
    print(f"Report page:    {_shown(presentation.report)}")
    print(f"Tables:         {', '.join(_shown(path) for path in presentation.table_files.values())}")
    print(f"Figures:        {_shown(experiment.folder / 'figures')}/")
    print(f"Fold runs:      {shown_path(experiment.store.root)}/fold_runs/")
    print(f"Ray's messages: {_shown(experiment.folder / 'ray.log')}")
    for purpose, command in presentation.next_commands.items():
        print(f"{purpose}:\n  {command}")
    sys.stdout.flush()


def _shown(path: Path) -> str:
    from platform.results.present import shown_path

    return shown_path(path)
