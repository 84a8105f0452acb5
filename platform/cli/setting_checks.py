"""Checks of resolved settings against each other, before any data is opened."""

from __future__ import annotations

import dataclasses

from platform.cli.search_checks import check_enqueued_fit, check_sampler
from platform.config.configuration import Configuration, Plan, plan_with
from platform.config.mask_source import mask_source
from platform.errors import UserError


def checked_plan(configuration: Configuration, plan: Plan, *, search: bool, enqueued_from: str = "") -> Plan:
    """`plan` of `tune` (`search`) or `crossval`, with `auto` and empty rounds resolved.

    enqueued_from: name of the source of the enqueued configurations in error messages.
    UserError: an unknown data set, method or space; contradictory settings.
    """
    from datasets.catalogue import describe

    if search:
        plan = _checked_search(plan)
    else:
        refuse_tuned_baselines(plan)
    if plan.transfer_to == "auto":
        transfers = search and plan.dataset == "synthetic" and plan.selection_rule != "nested"
        transfers = transfers and not _scores_sequences(configuration, plan)
        plan = plan_with(plan, transfer_to="synthetic_wild" if transfers else "none")
    if describe(plan.dataset).embedded and plan.has_many_folds and not plan.fold_list:
        _check_fold_count(plan)
    _check_transfer(configuration, plan)
    if plan.folds_only and (search or plan.transfer_to != "none"):
        raise UserError(
            "folds_only runs chosen folds of python -m platform.crossval without a mask transfer; remove it "
            "from the settings, or pass --transfer-to none."
        )
    if plan.substitutes and (search or plan.transfer_to != "none"):
        raise UserError(
            "substitutes replace artifacts in python -m platform.crossval without a mask transfer; remove "
            "them from the settings, or pass --transfer-to none."
        )
    if search and plan.masks != "own":
        raise UserError(
            f"--masks {mask_source(plan.masks).name} works with crossval only: a search "
            "builds masks from the training subjects of validation splits; search with --masks own."
        )
    if search and plan.repeats > 1:
        raise UserError(
            f"repeats divide the subjects of fixed settings anew (python -m platform.crossval), but a search "
            f"has {plan.repeats} of them in its settings; remove them, and pass the search's winner.yaml to "
            "crossval --config with --repeats."
        )
    if search:
        _check_measured(configuration, plan)
        _check_space(configuration, plan, enqueued_from)
    return plan


def _scores_sequences(configuration: Configuration, plan: Plan) -> bool:
    """Whether a method scores sequences, which `synthetic_wild` has not."""
    from platform.models import load_method

    names = (configuration.method, *plan.baselines)
    return any(load_method(name).unit == "sequence" for name in names)


def _checked_search(plan: Plan) -> Plan:
    """`plan` with its rounds. UserError: a selection rule that a search cannot follow."""
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
    if plan.rounds or not plan.has_many_folds:
        return plan
    return plan_with(plan, rounds=default_rounds(steps_a_trial(rule, plan.folds)))


def refuse_tuned_baselines(plan: Plan) -> None:
    """UserError: `tune_baselines` in the settings of a command that does not search."""
    if plan.tune_baselines:
        raise UserError(
            f"tune_baselines searches with python -m platform.tune only, but the settings have "
            f"{plan.tune_baselines}; remove it from them."
        )


def _check_fold_count(plan: Plan) -> None:
    """UserError: more folds than an embedded set has subjects. Known before the set is drawn."""
    from datasets.catalogue import undrawn_records
    from datasets.folds.rules import paper_folds

    paper_folds({record.subject_id for record in undrawn_records(plan.dataset)}, plan.folds)


def _check_transfer(configuration: Configuration, plan: Plan) -> None:
    from datasets.catalogue import describe

    if plan.transfer_to == "none":
        return
    describe(plan.transfer_to)
    if getattr(configuration, "freeze_generator", False):
        raise UserError(
            "freeze_generator keeps the mask generator of stage 1, which a mask transfer leaves out; pass "
            "--transfer-to none, or --freeze-generator no."
        )
    if plan.transfer_to == plan.dataset:
        raise UserError(
            f"masks must be transferred to another data set, but transfer_to is {plan.dataset} itself, whose "
            f"test subjects would reach them; pass another --transfer-to, or none."
        )


def _check_measured(configuration: Configuration, plan: Plan) -> None:
    """UserError: an objective that measures a net, for a method that trains none."""
    from platform.models import load_method
    from platform.models.net_method import NetMethod
    from platform.search.trial_values import MEASURED

    method = load_method(configuration.method)
    wanted = [name for name in plan.objectives if name in MEASURED]
    if wanted and not isinstance(method, NetMethod):
        raise UserError(
            f"the objectives {' and '.join(MEASURED)} measure a net, but got {', '.join(wanted)} with the "
            f"method {method.name}, which trains none; remove them from --objectives."
        )


def _check_space(configuration: Configuration, plan: Plan, enqueued_from: str) -> None:
    from platform.search.definition import definition_of_space

    definition = definition_of_space(
        plan.space, configuration, fixed=plan.fixed, enqueued=plan.enqueued, enqueued_from=enqueued_from
    )
    check_sampler(plan, definition)
    check_enqueued_fit(plan, definition)


def check_gpus(plan: Plan) -> None:
    """UserError: a part of a GPU that no fold run can hold."""
    each = plan.gpus_per_run
    if each > 1 and each != int(each):
        raise UserError(
            f"gpus_per_run is a fraction of one GPU or a whole number of them, but got {each:g}; pass "
            f"--gpus-per-run {int(each)} or {int(each) + 1}."
        )
    if plan.train_workers > 1 and 0 < each < 1:
        raise UserError(
            f"each of several Train workers needs a GPU of its own, because they cannot exchange gradients "
            f"on a shared one, but gpus_per_run is {each:g} with {plan.train_workers} Train workers; pass "
            "--gpus-per-run 1, or --train-workers 0 to share GPUs among fold runs."
        )


def check_methods_and_batches(configuration: Configuration, plan: Plan) -> None:
    """UserError: an unknown baseline, or a batch that leaves a Train worker without an image."""
    from platform.config.presets import with_method

    for method in plan.baselines:
        with_method(configuration, method, plan)
    sizes = [field.name for field in dataclasses.fields(configuration) if field.name.endswith("_batch_size")]
    for name in sizes:
        size = getattr(configuration, name)
        if size < plan.train_workers:
            raise UserError(
                f"{name} must be at least the number of Train workers, {plan.train_workers}, but got {size}; "
                f"raise --{name.replace('_', '-')} or lower --train-workers."
            )
