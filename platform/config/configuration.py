"""Every setting, once: command-line flags and YAML files are made from these dataclasses.

`Configuration` holds what can change a fold run's outcome; `Plan` holds which fold runs are
wanted and where they run. Numbers are those of docs/methods.md (the paper and its released code) unless a
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
    """What a fold run computes. Defaults are the preset `paper`."""

    method: str = "fmpn"
    """Method: a file of platform/models/."""
    backbone: str = "inception_v3"
    """Classification net: an entry of platform/models/networks/backbones.py."""
    backbone_width: float = 1.0
    """Share of the backbone's channels that is kept; 1 is the published net, 0.25 a quick one."""
    weights: str = "imagenet"
    """Where the backbone starts from: imagenet (torchvision's weights), none (random), or a safetensors or
    torch file of that net, with a head for ImageNet's 1000 classes, which is replaced, or for the data's.
    A file is kept as `/absolute/path@sha256:<digits>`: what is in it is part of a run's identity.
    `released:FILE`, method fmpn only: all three nets from a checkpoint of FMPN's release, of which FILE is
    `<epoch>_net_cls.pth`; stage 1 is left out."""
    enlarge_below_pixels: int = 0
    """Faces smaller than this are enlarged to it (bilinear) before the classification net; 0: never.
    Ours, for quick runs: the mask generator works on the small face, Inception needs 75 px."""
    transform_input: bool = True
    """Inception only: rescale the input as torchvision does for ImageNet weights (as released)."""
    load_size_pixels: int = 320
    """Side of the prepared faces; crops are taken from it."""
    image_size_pixels: int = 299
    """Side of the crop that the networks see."""
    generator_width: int = 64
    """Channels of the mask generator's first layer (the published net: 64)."""
    generator_blocks: int = 4
    """Residual blocks in the middle of the mask generator (the published net: 4)."""
    initialisation_gain: float = 0.02
    """Xavier gain of mask generator and prior fusion net; 0.02 as released. It makes the first fused
    image a nearly even gray, from which a short training hardly gets away: quick runs take 1."""
    augmentation: str = "paper"
    """`paper`: one of five crops and a flip with p 0.5, drawn per image; `none`: centre crop; `strong`:
    shifts, turns, light, blur, noise and holes before `paper`; or one's own transforms in a FILE.yaml
    (docs/augmentation.md), whose content becomes the setting."""
    stage2_augmentation: str = "same"
    """Stage 2 only: `same` as `augmentation`, or another one; trials that differ in it share stage 1."""
    stage1_constant_epochs: int = 150
    """Stage 1 (mask generator alone): epochs at the full learning rate."""
    stage1_decay_epochs: int = 150
    """Stage 1: epochs of linear decay; the last epoch's rate is exactly 0, as released."""
    stage1_batch_size: int = 32
    """Stage 1: images a step."""
    stage1_learning_rate: float = 1e-4
    """Stage 1: Adam's rate."""
    stage2_constant_epochs: int = 100
    """Stage 2 (joint training): epochs at the full learning rates."""
    stage2_decay_epochs: int = 100
    """Stage 2: epochs of linear decay; the last epoch's rate is exactly 0, as released."""
    stage2_batch_size: int = 16
    """Stage 2: images a step."""
    classifier_learning_rate: float = 1e-4
    """Stage 2: the optimizer's rate of classification net and prior fusion net."""
    generator_learning_rate: float = 1e-5
    """Stage 2: the optimizer's rate of the mask generator."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """Stage 2: what takes the steps; stage 1 always takes Adam's, so that trials share it."""
    weight_decay: float = 0.0
    """Stage 2: decay of all weights, in `adam` and `sgd` as a part of the gradient, in `adamw` beside it."""
    momentum: float = 0.0
    """Stage 2, optimizer `sgd` only: its momentum; 0 is none."""
    schedule: Literal["paper", "cosine", "constant"] = "paper"
    """Stage 2's rates after the constant epochs: `paper` falls linearly to exactly 0 in the last epoch, as
    released; `cosine` along half a cosine, without an epoch at rate 0; `constant` stays."""
    lambda_classification: float = 1.0
    """Stage 2: weight of the cross entropy (lambda_C)."""
    lambda_mask: float = 10.0
    """Stage 2: weight of the mask's mean squared error (lambda_G); paper 10, released code 0.1."""
    label_smoothing: float = 0.0
    """Stage 2: share of the true class's target that is spread evenly over all classes."""
    class_weights: Literal["none", "balanced"] = "none"
    """Stage 2: `balanced` weighs each image in the cross entropy by 1 / (images of its class), counted over
    the fold's training images alone; the mean weight is 1."""
    dropout: float = -1.0
    """Dropout before the last layer of inception_v3, or in the head of a VGG; -1: the net's own, 0.5."""
    freeze_backbone: bool = False
    """Stage 2: the classification net keeps its weights and its batch norms' statistics, but for the head."""
    freeze_generator: bool = False
    """Stage 2: the mask generator keeps the weights and the batch norms' statistics of stage 1."""
    ema_decay: float = 0.0
    """Stage 2: the trained net is the moving average of its weights and of its batch norms' statistics with
    this decay a step, less at first; 0: off, the last step's weights."""
    adam_beta1: float = 0.5
    """Adam's first momentum."""
    adam_beta2: float = 0.999
    """Adam's second momentum."""
    seed: int = 0
    """Seed of initialisation, shuffling, crops, flips and dropout."""
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    """`fp32`: IEEE float32 everywhere, on GPUs too; `tf32`: training's convolutions and products in TF32 on a
    GPU, PyTorch's default for convolutions; `bf16`: convolutions and products in bfloat16. Losses, batch
    norm's statistics, the fusion of face and mask, weights, Adam and all scoring stay in float32."""
    compiled: bool = False
    """Whether torch.compile fuses the nets' operations; it changes last bits and needs a C++ compiler."""
    synchronised_batch_norm: bool = True
    """With several Train workers: batch norm over the images of all of them, as one worker has it."""

    def __post_init__(self) -> None:
        check_configuration(self)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which fold runs are wanted, and what they may use. Nothing here reaches a fold run's numbers."""

    dataset: str = "synthetic"
    """Data set: an entry of datasets/catalogue.py, prepared by `python -m platform.prepare`."""
    fold_rule: Literal["paper", "holdout"] = "paper"
    """`paper`: FMPN's subject-independent chunks; `holdout`: one seeded split of subjects."""
    folds: int = 10
    """Number of outer folds under the rule `paper`."""
    folds_only: tuple[int, ...] = ()
    """Of the folds of rule `paper`, those that crossval runs, e.g. 2,6; empty: all. Rows say so."""
    holdout_share: float = 0.1
    """Share of images tested under the rule `holdout`, whole subjects only; AffectNet in the paper: 9:1."""
    selection_rule: Literal["inner", "nested", "paper", "test"] = "inner"
    """How the final configuration is chosen. `inner`: one for all folds, by inner validation of each;
    `nested`: one for each fold, by its own training subjects alone, in a study of its own; `test`: by the
    test folds themselves, which is leakage and only shows the gap; `paper`: fixed, without a search
    (python -m platform.crossval)."""
    space: str = "quick"
    """Search space: a file of search_spaces/."""
    trials: int = 12
    """Configurations that the search tries."""
    trials_in_flight: int = 3
    """Trials a generation: proposed together, from all earlier generations' results."""
    asynchronous: bool = False
    """Propose a trial as soon as another ends, from whatever is known then: no slot waits for the end of a
    generation, but a search that is killed and goes on is no longer the same search."""
    sampler: Literal["tpe", "random", "gp", "cmaes", "qmc", "grid"] = "tpe"
    """Who proposes: `tpe`; `random`; `gp` (Gaussian process); `cmaes` (numbers, choices by TPE); `qmc` (even
    spread); `grid` (every combination of a space of choices, once)."""
    objectives: tuple[str, ...] = ("accuracy",)
    """What is optimised: accuracy first, then any of macro_f1, latency (ms an image, measured) and
    parameters. With several nothing is pruned, and the most accurate of those that none beats is chosen."""
    storage: str = "journal"
    """Where the study lives: `journal` (a file beside the results, safe on NFS), sqlite:///FILE, or
    postgresql://USER@HOST/DATABASE (password in PGPASSWORD or ~/.pgpass)."""
    rounds: tuple[int, ...] = ()
    """Fold runs of a trial before pruning is asked: they add up to the number of folds, under the rule
    `nested` to the five inner parts. Empty: up to three rounds, 4,3,3 for ten folds."""
    pruning: bool = True
    """Stop trials that a Wilcoxon test over subjects calls worse than the best."""
    study_seed: int = 0
    """Seed of the sampler and of the inner splits."""
    baselines: tuple[str, ...] = ("cnn", "cnn_no_mask_loss")
    """Methods run on all folds beside the winner, with the winner's backbone and rates."""
    masks: str = "own"
    """`own`: motion masks of each fold's training subjects; `permuted`, `uniform`, `centre`, `random`:
    controls that carry no prior of the class (datasets/masks/controls.py); otherwise a folder in FMPN's
    released layout, whose masks of the same folds are used instead, or `permuted:` and such a folder."""
    transfer_to: str = "auto"
    """Data set that borrows this one's motion masks by class name, on one holdout split; `none`; or
    `auto`: synthetic_wild when a search runs on synthetic, otherwise none."""
    train_workers: int = 0
    """Ray Train workers a fold run: 0 runs it in a warm worker (Train's local mode), 1 in its own, 2 or
    more share every batch."""
    checkpoint_every_epochs: int = 10
    """Epochs between two checkpoints of a running stage, from which a killed run goes on."""
    cpus_per_run: int = 1
    """CPU threads a fold run computes with."""
    gpus_per_run: float = 0.0
    """GPUs a fold run holds; a fraction shares one. 0 trains on the CPU."""
    retries: int = 1
    """Times a failed fold run is tried again before its configuration counts as failed."""
    fixed: tuple[str, ...] = ()
    """Parameters of the search space that are not searched, as `name=value`, sorted (--set)."""
    enqueued: str = ""
    """Configurations of one's own that a study tries after its first ones, as JSON (--enqueue)."""

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
            what = "inner parts" if self.selection_rule == "nested" else "folds"
            raise UserError(
                f"rounds must be positive and add up to the number of {what} ({steps}), but "
                f"got {','.join(map(str, self.rounds))}; pass --rounds, "
                f"for example {','.join(map(str, default_rounds(steps)))}."
            )


def plan_with(plan: Plan, **changes: Any) -> Plan:
    """`plan` with some fields changed, checked again."""
    return dataclasses.replace(plan, **changes)


def replace(settings: Configuration, **changes: Any) -> Configuration:
    """`settings` with some fields changed, checked again. UserError: an unknown field, a rule broken."""
    fields = {field.name for field in dataclasses.fields(settings)}
    for name in changes.keys() - fields:
        raise unknown_name("field of the configuration", name, fields)
    return dataclasses.replace(settings, **changes)


def _check_chosen_folds(plan: Plan) -> None:
    """Sort `folds_only`. UserError: a fold that is not there, or is there twice; another fold rule."""
    chosen = tuple(sorted(plan.folds_only))
    wrong = [fold for fold in chosen if not 0 <= fold < plan.folds]
    if wrong or len(set(chosen)) < len(chosen) or plan.fold_rule != "paper":
        raise UserError(
            f"folds_only must be different folds from 0 to {plan.folds - 1} of the rule paper, but got "
            f"{','.join(map(str, plan.folds_only))} with the rule {plan.fold_rule}; change --folds-only."
        )
    object.__setattr__(plan, "folds_only", chosen)


ABSENT_WHILE_USUAL = ("folds_only",)
"""Fields that came later: records leave them out while they have their default, so that the identities and
settings of what was stored before stay what they were."""


def to_dict(settings: Configuration | Plan) -> dict[str, Any]:
    """Field names to plain JSON values (tuples become lists), without what ABSENT_WHILE_USUAL leaves out."""
    usual = {field.name: field.default for field in dataclasses.fields(settings)}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(settings).items()
        if name not in ABSENT_WHILE_USUAL or value != usual[name]
    }
