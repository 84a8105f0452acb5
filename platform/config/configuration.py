"""Configurations of any method, and the plan; flags and YAML keys are made from both.

A `Configuration` (platform/models/options/) holds what can change the outcome of a fold run; `Plan` says
which fold runs are wanted and on what they run. Numbers are those of docs/methods.md (the paper and its
released code) unless a docstring says otherwise.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from platform.config.mask_source import mask_source
from platform.config.objectives import check_objectives
from platform.config.rules import check_storage
from platform.config.training_seeds import MOST_SEEDS, SEED_LIMIT
from platform.errors import UserError, unknown_name
from platform.models import load_method
from platform.models.options.configuration import Configuration
from platform.models.options.fields import added_later, check_rule, check_types, to_dict, unstored

__all__ = ["Configuration", "Plan", "configuration_of", "option_names", "plan_with", "replace", "to_dict"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which fold runs are wanted, and what they may use. Nothing here changes the numbers of a fold run."""

    dataset: str = "synthetic"
    """Data set: an entry of datasets/catalogue.py, prepared by `python -m platform.prepare`."""
    fold_rule: Literal["paper", "step", "holdout"] = "paper"
    """Division of subjects. `paper`: FMPN's subject-independent folds; `step`: the field's second protocol
    for CK+ (sorted subjects, every tenth to the same fold); `holdout`: a single seeded split."""
    folds: int = 10
    """Number of outer folds under the rules `paper` and `step`, or a file or folder with fold lists, which
    then replace the rule: a fold plan (python -m platform.folds), a table, or lists in FMPN's form. Lists
    that leak are refused (python -m platform.audit)."""
    fold_list: str = added_later("")
    """Fold lists that replace the rule (--folds FILE)."""
    folds_only: tuple[int, ...] = added_later(())
    """Folds that crossval runs, e.g. 2,6; empty: all. Not with the rule `holdout`. The table marks such
    rows."""
    repeats: int = added_later(1)
    """Divisions of the subjects on which crossval and reproduce run every row: the rule's own, and further
    ones with as many folds, drawn with `study_seed` and stratified by class. The part `stability` of the
    table shows how often the order of two rows holds. They are divisions of the same people."""
    holdout_share: float = 0.1
    """Fraction of images tested under the rule `holdout`, in whole subjects; AffectNet in the paper: 9:1."""
    selection_rule: Literal["inner", "nested", "paper", "test"] = "inner"
    """How the final configuration is chosen. `inner`: one configuration, by validation splits of all folds;
    `nested`: one per fold, by a study on the training subjects of that fold alone; `test`: by the test
    folds, which is leakage and only shows the optimism gap; `paper`: fixed, without a search
    (python -m platform.crossval)."""
    space: str = "quick"
    """Search space: a file of search_spaces/."""
    trials: int = 12
    """Number of configurations that the search tries."""
    trials_in_flight: int = 3
    """Trials per generation, proposed together from the results of all earlier generations. At most this many
    times the fold runs of a round are computed at once (under the rule `nested`, times the number of
    folds)."""
    asynchronous: bool = False
    """Propose a trial as soon as another ends, from the results known then. No slot waits for the end of a
    generation, but an interrupted search no longer continues as the same search."""
    sampler: Literal["tpe", "random", "gp", "cmaes", "qmc", "grid"] = "tpe"
    """Search algorithm: `tpe`; `random`; `gp` (Gaussian process); `cmaes` (numerical parameters; TPE for
    choices); `qmc` (quasi-random); `grid` (every combination once, for spaces of choices)."""
    objectives: tuple[str, ...] = ("accuracy",)
    """Objectives: accuracy first, then any of macro_f1, latency (ms per image, measured) and parameters. With
    several, pruning is off and the most accurate configuration on the Pareto front is chosen."""
    storage: str = "journal"
    """Storage of the study: `journal` (a file beside the results, safe on NFS), sqlite:///FILE, or
    postgresql://USER@HOST/DATABASE (password in PGPASSWORD or ~/.pgpass)."""
    rounds: tuple[int, ...] = ()
    """Fold runs per round; pruning is decided after each round. They add up to the number of folds, or to the
    five validation splits under the rule `nested`. Empty: up to three rounds, 4,3,3 for ten folds."""
    pruning: bool = True
    """Prune trials that a Wilcoxon test over subjects finds worse than the best one."""
    study_seed: int = 0
    """Seed of the search algorithm and of the validation splits."""
    seeds: int = added_later(1)
    """Number of training seeds: every row runs with each of `seed`, `seed` + 1 and so on. A search uses the
    first alone, and its winner then runs with all of them. Presets of the paper's size have 3."""
    baselines: tuple[str, ...] = ("cnn", "cnn_no_mask_loss")
    """Baselines, trained on all folds. They take the options that they share with the winner from it, and the
    others from their own preset or from `methods` of --config."""
    tune_baselines: int = added_later(0)
    """Trials of a search of its own for each baseline, over its default space; the number of trials is the
    same budget as the winner's. 0: none."""
    masks: str = "own"
    """Motion masks. `own`: built from each fold's training subjects; `permuted`, `uniform`, `centre`,
    `random`: controls without information on the class (datasets/masks/controls.py); otherwise a folder in
    FMPN's released layout, whose masks of the same folds are used, or `permuted:` and such a folder."""
    substitutes: tuple[str, ...] = added_later(())
    """What crossval puts in the place of artifacts that the method declares, e.g. of stage1: ARTIFACT=none,
    ARTIFACT=DATASET (made from all subjects of that data set) or ARTIFACT=CONTROL."""
    transfer_to: str = "auto"
    """Target of a mask transfer: a data set that uses these motion masks, matched by class name, on a single
    split; `none`; or `auto`: synthetic_wild for a search on synthetic, otherwise none."""
    train_workers: int = 0
    """Ray Train workers per fold run. 0: in a running worker (Train's local mode); 1: in a worker of its own;
    2 or more: data parallel, sharing every batch."""
    checkpoint_every_epochs: int = 10
    """Epochs between checkpoints of a running stage, from which an interrupted run resumes."""
    cpus_per_run: int = 1
    """CPU threads per fold run."""
    gpus_per_run: float = 0.0
    """GPUs per fold run; a fraction shares one GPU, 0 trains on the CPU. `auto`, as in every preset: a GPU
    where there is one, shared by as many fold runs as its measured memory holds."""
    retries: int = 1
    """Further attempts at a failed fold run before its configuration counts as failed."""
    preset: str = unstored("paper")
    """Preset whose values a baseline takes for options that it does not share; in no stored settings."""
    fixed: tuple[str, ...] = ()
    """Parameters of the search space that are fixed, as `name=value`, sorted (--fix)."""
    enqueued: str = ""
    """Further configurations for the study to try after the space's initial ones, as JSON (--enqueue)."""
    methods: str = added_later("")
    """Options of baselines, as JSON: method to option to value. A YAML file says `methods: {cnn: {...}}`."""

    def __post_init__(self) -> None:
        check_types(self)
        rules = {
            "folds": (self.folds >= 2, ">= 2"),
            "holdout_share": (0 < self.holdout_share < 1, "> 0 and < 1"),
            "repeats": (self.repeats >= 1, ">= 1"),
            "trials": (self.trials >= 1, ">= 1"),
            "trials_in_flight": (self.trials_in_flight >= 1, ">= 1"),
            "tune_baselines": (self.tune_baselines >= 0, ">= 0"),
            "study_seed": (0 <= self.study_seed < SEED_LIMIT, "0 to 2**31 - 1"),
            "seeds": (1 <= self.seeds <= MOST_SEEDS, f"1 to {MOST_SEEDS}"),
            "train_workers": (0 <= self.train_workers <= 64, "0 to 64"),
            "checkpoint_every_epochs": (self.checkpoint_every_epochs >= 1, ">= 1"),
            "cpus_per_run": (self.cpus_per_run >= 1, ">= 1"),
            "gpus_per_run": (self.gpus_per_run >= 0, ">= 0"),
            "retries": (self.retries >= 0, ">= 0"),
        }
        for name, (holds, rule) in rules.items():
            check_rule(self, name, holds, rule)
        check_objectives(self.objectives)
        check_storage(self.storage)
        if self.fold_list and self.fold_rule != "paper":
            raise UserError(
                f"fold lists replace the fold rule, but got {self.fold_list} and fold_rule {self.fold_rule}; "
                "remove --fold-rule, or pass --folds a number."
            )
        if self.folds_only:
            _check_chosen_folds(self)
        if self.repeats > 1:
            _check_repeats(self)
        # Only a search has rounds: without one, --folds alone must do.
        from platform.config.selection import default_rounds, steps_a_trial

        steps = steps_a_trial(self.selection_rule, self.folds)
        searches = self.has_many_folds and self.selection_rule != "paper" and self.rounds
        if any(size < 1 for size in self.rounds) or (searches and sum(self.rounds) != steps):
            what = "validation splits" if self.selection_rule == "nested" else "folds"
            raise UserError(
                f"rounds must be positive and add up to the number of {what} ({steps}), but "
                f"got {','.join(map(str, self.rounds))}; pass --rounds, "
                f"for example {','.join(map(str, default_rounds(steps)))}."
            )

    @property
    def has_many_folds(self) -> bool:
        """Whether the subjects are divided into several folds, and not into a single split."""
        return bool(self.fold_list) or self.fold_rule != "holdout"


def plan_with(plan: Plan, **changes: Any) -> Plan:
    """`plan` with some fields changed and checked again."""
    return dataclasses.replace(plan, **changes)


def configuration_of(method: str = "fmpn", **values: Any) -> Configuration:
    """The configuration of a method: these values, and defaults for the rest (the preset `paper`).

    UserError: an unknown method or option, an invalid value.
    """
    names = option_names(method)
    for name in values.keys() - set(names):
        raise unknown_name(f"option of the method {method}", name, names)
    return load_method(method).options(method=method, **values)


def option_names(method: str) -> tuple[str, ...]:
    """Names of a method's options, `method` first. UserError: an unknown method."""
    return tuple(field.name for field in dataclasses.fields(load_method(method).options))


def replace(settings: Configuration, **changes: Any) -> Configuration:
    """`settings` with some options changed and checked again. UserError: unknown option, invalid value."""
    names = {field.name for field in dataclasses.fields(settings)}
    for name in changes.keys() - names:
        raise unknown_name(f"option of the method {settings.method}", name, names)
    if changes.get("method", settings.method) != settings.method:
        raise UserError(
            f"options belong to one method, so {settings.method} cannot become {changes['method']}; pass "
            f"--method {changes['method']}."
        )
    return dataclasses.replace(settings, **changes)


def _check_chosen_folds(plan: Plan) -> None:
    """Sort `folds_only`. UserError: an unknown or duplicate fold, or another fold rule."""
    chosen = tuple(sorted(plan.folds_only))
    wrong = [fold for fold in chosen if not 0 <= fold < plan.folds]
    if wrong or len(set(chosen)) < len(chosen) or not plan.has_many_folds:
        raise UserError(
            f"folds_only must be different folds from 0 to {plan.folds - 1}, but got "
            f"{','.join(map(str, plan.folds_only))} with the rule {plan.fold_rule}; change --folds-only."
        )
    object.__setattr__(plan, "folds_only", chosen)


def _check_repeats(plan: Plan) -> None:
    """UserError: repeats of folds that are given, of chosen folds, or with masks of given folds."""
    given = {
        f"--folds {plan.fold_list}": bool(plan.fold_list),
        f"folds_only {','.join(map(str, plan.folds_only))}": bool(plan.folds_only),
        f"masks {mask_source(plan.masks).name}": mask_source(plan.masks).released_folder is not None,
    }
    for what, is_given in given.items():
        if is_given:
            raise UserError(
                f"repeats divide the subjects anew, but {what} belongs to one division; pass --repeats 1, or "
                "leave it out."
            )
