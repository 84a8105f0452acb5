"""All settings as dataclasses, from which command-line flags and YAML keys are made.

`Configuration` holds what can change the outcome of a fold run; `Plan` says which fold runs are wanted and
on what they run. Numbers are those of docs/methods.md (the paper and its released code) unless a
docstring says otherwise.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from platform.config.objectives import check_objectives
from platform.config.rules import check_configuration, check_rule, check_storage, check_types
from platform.errors import UserError, unknown_name


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """All values that can change the outcome of a fold run. Defaults are the preset `paper`."""

    method: str = "fmpn"
    """Method: a file of platform/models/."""
    backbone: str = "inception_v3"
    """Classification net: an entry of platform/models/networks/backbones.py."""
    backbone_width: float = 1.0
    """Fraction of the backbone's channels to keep: 1 is the published net, 0.25 a fast one."""
    weights: str = "imagenet"
    """Initial weights of the backbone: imagenet (torchvision), none (random), or a safetensors or torch file
    of the same net. Its head must have ImageNet's 1000 classes, and is then replaced, or those of the data.
    A file is stored as `/absolute/path@sha256:<digits>`, so its content is part of a run's identity.
    `released:FILE`, method fmpn only: all three nets from a checkpoint of FMPN's release, where FILE is
    `<epoch>_net_cls.pth`; stage 1 is skipped."""
    enlarge_below_pixels: int = 0
    """Smallest side of the backbone's input: smaller faces are enlarged to it (bilinear); 0: never. Not in
    the paper. Fast runs need it: the mask generator works on small faces, but Inception needs 75 px."""
    transform_input: bool = True
    """Inception only: rescale the input as torchvision does for ImageNet weights (as released)."""
    load_size_pixels: int = 320
    """Side of the prepared faces, from which crops are taken."""
    image_size_pixels: int = 299
    """Side of the crop that the networks see."""
    generator_width: int = 64
    """Channels of the mask generator's first layer (the published net: 64)."""
    generator_blocks: int = 4
    """Residual blocks in the middle of the mask generator (the published net: 4)."""
    initialisation_gain: float = 0.02
    """Xavier gain of the mask generator and the prior fusion net; 0.02 in the released code. The first fused
    images are then an almost uniform gray and short training runs stay at chance, so fast presets use 1."""
    augmentation: str = "paper"
    """`paper`: one of five crops per image and a flip with probability 0.5; `none`: centre crop; `strong`:
    shift, rotation, lighting, blur, noise and holes before `paper`; or a FILE.yaml with custom transforms
    (docs/augmentation.md), whose content becomes the setting."""
    stage2_augmentation: str = "same"
    """Augmentation of stage 2: `same` as `augmentation`, or another one. Trials that differ only in it share
    stage 1."""
    stage1_constant_epochs: int = 150
    """Stage 1 (mask generator alone): epochs at the initial learning rate."""
    stage1_decay_epochs: int = 150
    """Stage 1: epochs of linear decay; the rate of the last epoch is exactly 0, as in the released code."""
    stage1_batch_size: int = 32
    """Stage 1: images per step."""
    stage1_learning_rate: float = 1e-4
    """Stage 1: Adam's learning rate."""
    stage2_constant_epochs: int = 100
    """Stage 2 (joint training): epochs at the initial learning rates."""
    stage2_decay_epochs: int = 100
    """Stage 2: epochs of linear decay; the rate of the last epoch is exactly 0, as in the released code."""
    stage2_batch_size: int = 16
    """Stage 2: images per step."""
    classifier_learning_rate: float = 1e-4
    """Stage 2: learning rate of the classification net and the prior fusion net."""
    generator_learning_rate: float = 1e-5
    """Stage 2: learning rate of the mask generator."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """Optimizer of stage 2. Stage 1 always uses Adam, so that trials can share it."""
    weight_decay: float = 0.0
    """Stage 2: weight decay; an L2 penalty in the gradient for `adam` and `sgd`, decoupled for `adamw`."""
    momentum: float = 0.0
    """Stage 2: momentum of the optimizer `sgd`; 0: none."""
    schedule: Literal["paper", "cosine", "constant"] = "paper"
    """Stage 2: learning rates after the constant epochs. `paper`: linear decay to exactly 0 in the last
    epoch, as in the released code; `cosine`: half a cosine, without an epoch at rate 0; `constant`: none."""
    lambda_classification: float = 1.0
    """Stage 2: weight of the cross entropy (lambda_C)."""
    lambda_mask: float = 10.0
    """Stage 2: weight of the mask's mean squared error (lambda_G); paper 10, released code 0.1."""
    label_smoothing: float = 0.0
    """Stage 2: label smoothing, the fraction of the target spread evenly over all classes."""
    class_weights: Literal["none", "balanced"] = "none"
    """Stage 2: class weights in the cross entropy. `balanced`: proportional to 1 / (training images of the
    class in this fold), with mean 1; `none`: equal."""
    dropout: float = -1.0
    """Dropout before the last layer of inception_v3 or in the head of a VGG; -1: the net's default, 0.5."""
    freeze_backbone: bool = False
    """Stage 2: freeze the classification net, batch-norm statistics included, except its head."""
    freeze_generator: bool = False
    """Stage 2: freeze the mask generator, batch-norm statistics included, as stage 1 left it."""
    ema_decay: float = 0.0
    """Stage 2: decay per step of an exponential moving average over weights and batch-norm statistics, which
    is then the trained net (lower decay in the first steps); 0: off, the weights of the last step."""
    adam_beta1: float = 0.5
    """Adam's beta1."""
    adam_beta2: float = 0.999
    """Adam's beta2."""
    seed: int = 0
    """Seed of initialisation, shuffling, crops, flips and dropout."""
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    """Arithmetic of training. `fp32`: IEEE float32, on GPUs too; `tf32`: convolutions and matrix products in
    TF32 on a GPU, PyTorch's default for convolutions; `bf16`: those in bfloat16. Losses, batch-norm
    statistics, fusion of face and mask, weights, Adam and scoring are always float32."""
    compiled: bool = False
    """Use torch.compile. It needs a C++ compiler and changes the last bits of results."""
    synchronised_batch_norm: bool = True
    """With several Train workers: batch-norm statistics over the images of all, as with one worker."""

    def __post_init__(self) -> None:
        check_configuration(self)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which fold runs are wanted, and what they may use. Nothing here changes the numbers of a fold run."""

    dataset: str = "synthetic"
    """Data set: an entry of datasets/catalogue.py, prepared by `python -m platform.prepare`."""
    fold_rule: Literal["paper", "holdout"] = "paper"
    """Division of subjects. `paper`: FMPN's subject-independent folds; `holdout`: a single seeded split."""
    folds: int = 10
    """Number of outer folds under the rule `paper`."""
    folds_only: tuple[int, ...] = ()
    """Folds of the rule `paper` that crossval runs, e.g. 2,6; empty: all. The table marks such rows."""
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
    """Trials per generation, proposed together from the results of all earlier generations."""
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
    baselines: tuple[str, ...] = ("cnn", "cnn_no_mask_loss")
    """Baselines, trained on all folds with the winner's backbone and learning rates."""
    masks: str = "own"
    """Motion masks. `own`: built from each fold's training subjects; `permuted`, `uniform`, `centre`,
    `random`: controls without information on the class (datasets/masks/controls.py); otherwise a folder in
    FMPN's released layout, whose masks of the same folds are used, or `permuted:` and such a folder."""
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
    """GPUs per fold run; a fraction shares one GPU, 0 trains on the CPU."""
    retries: int = 1
    """Further attempts at a failed fold run before its configuration counts as failed."""
    fixed: tuple[str, ...] = ()
    """Parameters of the search space that are fixed, as `name=value`, sorted (--set)."""
    enqueued: str = ""
    """Further configurations for the study to try after the space's initial ones, as JSON (--enqueue)."""

    def __post_init__(self) -> None:
        check_types(self)
        rules = {
            "folds": (self.folds >= 2, ">= 2"),
            "holdout_share": (0 < self.holdout_share < 1, "> 0 and < 1"),
            "trials": (self.trials >= 1, ">= 1"),
            "trials_in_flight": (self.trials_in_flight >= 1, ">= 1"),
            "study_seed": (0 <= self.study_seed < 2**31, "0 to 2**31 - 1"),
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
        if self.folds_only:
            _check_chosen_folds(self)
        # Only a search has rounds: without one, --folds alone must do.
        from platform.config.selection import default_rounds, steps_a_trial

        steps = steps_a_trial(self.selection_rule, self.folds)
        searches = self.fold_rule == "paper" and self.selection_rule != "paper" and self.rounds
        if any(size < 1 for size in self.rounds) or (searches and sum(self.rounds) != steps):
            what = "validation splits" if self.selection_rule == "nested" else "folds"
            raise UserError(
                f"rounds must be positive and add up to the number of {what} ({steps}), but "
                f"got {','.join(map(str, self.rounds))}; pass --rounds, "
                f"for example {','.join(map(str, default_rounds(steps)))}."
            )


def plan_with(plan: Plan, **changes: Any) -> Plan:
    """`plan` with some fields changed and checked again."""
    return dataclasses.replace(plan, **changes)


def replace(settings: Configuration, **changes: Any) -> Configuration:
    """`settings` with some fields changed and checked again. UserError: unknown field, invalid value."""
    fields = {field.name for field in dataclasses.fields(settings)}
    for name in changes.keys() - fields:
        raise unknown_name("field of the configuration", name, fields)
    return dataclasses.replace(settings, **changes)


def _check_chosen_folds(plan: Plan) -> None:
    """Sort `folds_only`. UserError: an unknown or duplicate fold, or another fold rule."""
    chosen = tuple(sorted(plan.folds_only))
    wrong = [fold for fold in chosen if not 0 <= fold < plan.folds]
    if wrong or len(set(chosen)) < len(chosen) or plan.fold_rule != "paper":
        raise UserError(
            f"folds_only must be different folds from 0 to {plan.folds - 1} of the rule paper, but got "
            f"{','.join(map(str, plan.folds_only))} with the rule {plan.fold_rule}; change --folds-only."
        )
    object.__setattr__(plan, "folds_only", chosen)


ABSENT_WHILE_USUAL = ("folds_only",)
"""Fields added later. Records omit them while they have their default, so that identities and settings of
earlier results stay the same."""


def to_dict(settings: Configuration | Plan) -> dict[str, Any]:
    """Field names to JSON values (tuples become lists), without default values of ABSENT_WHILE_USUAL."""
    usual = {field.name: field.default for field in dataclasses.fields(settings)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(settings).items()
        if name not in ABSENT_WHILE_USUAL or value != usual[name]
    }
