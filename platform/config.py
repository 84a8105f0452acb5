"""Every setting, once: command-line flags and YAML files are made from these dataclasses.

`Configuration` holds what can change a fold run's outcome; `Plan` holds which fold runs are
wanted and where they run. Numbers are METHODS' (the paper and its released code) unless a
docstring says otherwise.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from platform.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What a fold run computes. Defaults are the preset `paper`."""

    method: str = "fmpn"
    """Method: a file of platform/models/ (fmpn, cnn, cnn_no_mask_loss)."""
    backbone: str = "inception_v3"
    """Classification net: inception_v3, resnet18, resnet50, resnet152, densenet121, vgg16, vgg16_bn or
    vgg19."""
    backbone_width: float = 1.0
    """Share of the backbone's channels that is kept; 1 is the published net, 0.25 a quick one."""
    weights: str = "imagenet"
    """Where the backbone starts from: imagenet (torchvision's weights), none (random), or a safetensors or
    torch file of that net, with a head for ImageNet's 1000 classes, which is replaced, or for the data's.
    A file is kept as `/absolute/path@sha256:<digits>`: what is in it is part of a run's identity."""
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
    initialisation_gain: float = 0.02
    """Xavier gain of mask generator and prior fusion net; 0.02 as released. It makes the first fused
    image a nearly even gray, from which a short training hardly gets away: quick runs take 1."""
    augmentation: str = "paper"
    """`paper`: one of five crops and a flip with p 0.5, drawn per image; `none`: centre crop; `strong`:
    shifts, turns, light, blur, noise and holes before `paper`; or one's own transforms in a FILE.yaml
    (docs/augmentation.md), whose content becomes the setting."""
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
    """Stage 2: Adam's rate of classification net and prior fusion net."""
    generator_learning_rate: float = 1e-5
    """Stage 2: Adam's rate of the mask generator."""
    lambda_classification: float = 1.0
    """Stage 2: weight of the cross entropy (lambda_C)."""
    lambda_mask: float = 10.0
    """Stage 2: weight of the mask's mean squared error (lambda_G); paper 10, released code 0.1."""
    adam_beta1: float = 0.5
    """Adam's first momentum."""
    adam_beta2: float = 0.999
    """Adam's second momentum."""
    seed: int = 0
    """Seed of initialisation, shuffling, crops, flips and dropout."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """`bf16`: convolutions and products in bfloat16; losses, batch norm's statistics, the fusion of face and
    mask, weights, Adam and all scoring stay in float32."""
    compiled: bool = False
    """Whether torch.compile fuses the nets' operations; it changes last bits and needs a C++ compiler."""
    synchronised_batch_norm: bool = True
    """With several Train workers: batch norm over the images of all of them, as one worker has it."""

    def __post_init__(self) -> None:
        from datasets.augmentation import check_augmentation
        from platform.models import method_names
        from platform.models.networks.backbones import check_backbone, check_weights
        from platform.models.networks.weights import is_pinned, pin_weights

        _check_types(self)
        _check_choice("method", self.method, method_names())
        classifier_size = max(self.image_size_pixels, self.enlarge_below_pixels)
        check_backbone(self.backbone, classifier_size, self.backbone_width, self.weights)
        pinned = pin_weights(self.weights)
        if (
            is_pinned(pinned) and pinned != self.weights
        ):  # a path just given: the one time that it is read here
            check_weights(self.backbone, width=self.backbone_width, weights=pinned)
        object.__setattr__(self, "weights", pinned)
        for name in ("stage1_constant_epochs", "stage1_decay_epochs", "stage2_constant_epochs"):
            _check_rule(self, name, getattr(self, name) >= 0, ">= 0")
        _check_rule(self, "stage2_decay_epochs", self.stage2_decay_epochs >= 0, ">= 0")
        for stage in ("stage1", "stage2"):
            epochs = getattr(self, f"{stage}_constant_epochs") + getattr(self, f"{stage}_decay_epochs")
            if epochs < 1:
                raise UserError(
                    f"{stage}_constant_epochs + {stage}_decay_epochs must be >= 1, but got {epochs}; "
                    "raise one."
                )
            _check_rule(self, f"{stage}_batch_size", getattr(self, f"{stage}_batch_size") >= 1, ">= 1")
        for name in ("stage1_learning_rate", "classifier_learning_rate"):
            _check_rule(self, name, 0 < getattr(self, name) < 10, "> 0 and < 10")
        for name in ("generator_learning_rate", "lambda_classification", "lambda_mask"):
            _check_rule(self, name, 0 <= getattr(self, name) < 1e6, ">= 0 and < 1e6")
        for name in ("adam_beta1", "adam_beta2"):
            _check_rule(self, name, 0 <= getattr(self, name) < 1, ">= 0 and < 1")
        _check_rule(self, "initialisation_gain", 0 < self.initialisation_gain <= 10, "> 0 and <= 10")
        _check_rule(self, "generator_width", 1 <= self.generator_width <= 1024, "1 to 1024")
        _check_rule(self, "image_size_pixels", self.image_size_pixels >= 16, ">= 16")
        _check_rule(self, "enlarge_below_pixels", 0 <= self.enlarge_below_pixels <= 2048, "0 to 2048")
        _check_rule(self, "seed", 0 <= self.seed < 2**31, "0 to 2**31 - 1")
        if self.load_size_pixels < self.image_size_pixels:
            raise UserError(
                f"load_size_pixels >= image_size_pixels must hold, but got {self.load_size_pixels} < "
                f"{self.image_size_pixels}; crops are taken from the loaded face: raise --load-size-pixels."
            )
        check_augmentation(self.augmentation, self.load_size_pixels)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which fold runs are wanted, and what they may use. Nothing here reaches a fold run's numbers."""

    dataset: str = "synthetic"
    """Data set: a name that `python -m platform.prepare` knows, e.g. ckplus, mmi or synthetic."""
    fold_rule: Literal["paper", "holdout"] = "paper"
    """`paper`: FMPN's subject-independent chunks; `holdout`: one seeded split of subjects."""
    folds: int = 10
    """Number of outer folds under the rule `paper`."""
    holdout_share: float = 0.25
    """Share of subjects tested under the rule `holdout`."""
    selection_rule: Literal["inner", "paper"] = "inner"
    """How the final configuration is chosen: `inner` by inner validation; `paper`: fixed, no search."""
    space: str = "quick"
    """Search space: a file of search_spaces/."""
    trials: int = 12
    """Configurations that the search tries."""
    trials_in_flight: int = 3
    """Trials a generation: proposed together, from all earlier generations' results."""
    rounds: tuple[int, ...] = (4, 3, 3)
    """Folds a trial runs before pruning is asked; the rounds add up to the number of folds."""
    pruning: bool = True
    """Stop trials that a Wilcoxon test over subjects calls worse than the best."""
    study_seed: int = 0
    """Seed of the sampler and of the inner splits."""
    baselines: tuple[str, ...] = ("cnn", "cnn_no_mask_loss")
    """Methods run on all folds beside the winner, with the winner's backbone and rates."""
    masks: str = "own"
    """`own`: motion masks of each fold's training subjects; otherwise a folder in FMPN's released layout,
    whose masks of the same folds are used instead."""
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

    def __post_init__(self) -> None:
        _check_types(self)
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
            _check_rule(self, name, holds, rule)
        # Only a search has rounds: without one, --folds alone must do.
        searches = self.fold_rule == "paper" and self.selection_rule == "inner"
        if any(size < 1 for size in self.rounds) or (searches and sum(self.rounds) != self.folds):
            raise UserError(
                f"rounds must be positive and add up to the number of folds ({self.folds}), but "
                f"got {','.join(map(str, self.rounds))}; pass --rounds, "
                f"for example {_example_rounds(self.folds)}."
            )


def _example_rounds(fold_count: int) -> str:
    first = (fold_count + 1) // 2
    return ",".join(str(size) for size in (first, fold_count - first) if size)


def plan_with(plan: Plan, **changes: Any) -> Plan:
    """`plan` with some fields changed, checked again."""
    return dataclasses.replace(plan, **changes)


def replace(settings: Configuration, **changes: Any) -> Configuration:
    """`settings` with some fields changed, checked again."""
    return dataclasses.replace(settings, **changes)


def to_dict(settings: Configuration | Plan) -> dict[str, Any]:
    """Field names to plain JSON values (tuples become lists)."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in dataclasses.asdict(settings).items()
    }


def _check_rule(settings: Any, name: str, holds: bool, rule: str) -> None:
    if not holds:
        flag = "--" + name.replace("_", "-")
        raise UserError(f"{name} must be {rule}, but got {getattr(settings, name)!r}; change {flag}.")


def _check_choice(name: str, value: str, known: list[str] | tuple[str, ...]) -> None:
    from platform.errors import unknown_name

    if value not in known:
        raise unknown_name(name, value, known)


def _check_types(settings: Any) -> None:
    """Reject a value of another type than its field's: YAML and spaces bring untyped values."""
    import math
    import typing

    hints = typing.get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        value, hint = getattr(settings, field.name), hints[field.name]
        if typing.get_origin(hint) is Literal:
            _check_choice(field.name, str(value), typing.get_args(hint))
            continue
        base = typing.get_origin(hint) or hint
        if base is tuple:
            item = typing.get_args(hint)[0]
            if not isinstance(value, tuple) or any(type(part) is not item for part in value):
                raise UserError(f"{field.name} must be a list of {item.__name__}, but got {value!r}.")
            continue
        accepted = (int, float) if base is float else (base,)
        if not isinstance(value, accepted) or (isinstance(value, bool) and base is not bool):
            raise UserError(f"{field.name} must be of type {base.__name__}, but got {value!r}.")
        if base is float:
            if not math.isfinite(value):
                raise UserError(f"{field.name} must be finite, but got {value!r}.")
            # 10 and 10.0 are the same setting, so they must give the same identity.
            object.__setattr__(settings, field.name, float(value))
