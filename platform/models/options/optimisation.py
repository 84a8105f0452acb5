"""Options of optimisation: Adam's moments, and length, batches and optimizer of the last stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from platform.errors import UserError
from platform.models.options.configuration import Configuration
from platform.models.options.fields import added_later, check_rule


def check_stage(settings: object, stage: str) -> None:
    """UserError: epochs or batch size of the stage whose fields begin with `stage` and an underscore."""
    names = [f"{stage}_constant_epochs", f"{stage}_decay_epochs"]
    for name in names:
        check_rule(settings, name, getattr(settings, name) >= 0, ">= 0")
    epochs = sum(getattr(settings, name) for name in names)
    if epochs < 1:
        raise UserError(f"{' + '.join(names)} must be >= 1, but got {epochs}; raise one.")
    name = f"{stage}_batch_size"
    check_rule(settings, name, getattr(settings, name) >= 1, ">= 1")


@dataclass(frozen=True, kw_only=True)
class AdamMoments(Configuration):
    """Adam's moments, in all stages."""

    adam_beta1: float = 0.5
    """Adam's beta1."""
    adam_beta2: float = 0.999
    """Adam's beta2."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        for name in ("adam_beta1", "adam_beta2"):
            check_rule(self, name, 0 <= getattr(self, name) < 1, ">= 0 and < 1")


@dataclass(frozen=True, kw_only=True)
class LastStage(Configuration):
    """Length, batches, augmentation and optimizer of the stage that trains the classifier.

    Its fields are called `stage2_*`, as FMPN's second stage; a method with a single stage has them too.
    """

    stage2_augmentation: str = "same"
    """Augmentation of stage 2: `same` as `augmentation`, or another one. Trials that differ only in it share
    stage 1."""
    stage2_constant_epochs: int = 100
    """Stage 2 (joint training): epochs at the initial learning rates."""
    stage2_decay_epochs: int = 100
    """Stage 2: epochs of linear decay; the rate of the last epoch is exactly 0, as in the released code."""
    stage2_batch_size: int = 16
    """Stage 2: images per step."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """Optimizer of stage 2. Stage 1 always uses Adam, so that trials can share it."""
    weight_decay: float = 0.0
    """Stage 2: weight decay; an L2 penalty in the gradient for `adam` and `sgd`, decoupled for `adamw`."""
    momentum: float = 0.0
    """Stage 2: momentum of the optimizer `sgd`; 0: none."""
    amsgrad: bool = added_later(False)
    """Stage 2: whether `adam` and `adamw` divide by the largest second moment so far."""
    schedule: Literal["paper", "cosine", "constant", "step"] = "paper"
    """Stage 2: learning rates after the constant epochs. `paper`: linear decay to exactly 0 in the last
    epoch, as in the released code; `cosine`: half a cosine, without an epoch at rate 0; `constant`: none;
    `step`: times `step_factor` after every `step_epochs` of all epochs."""
    step_epochs: int = added_later(30)
    """Stage 2: epochs between two steps of the schedule `step`."""
    step_factor: float = added_later(0.1)
    """Stage 2: factor of each step of the schedule `step`."""
    drop_last: bool = added_later(False)
    """Stage 2: whether to leave out an epoch's last batch if it is not full."""
    ema_decay: float = 0.0
    """Stage 2: decay per step of an exponential moving average over weights and batch-norm statistics, which
    is then the trained net (lower decay in the first steps); 0: off, the weights of the last step."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        from datasets.augmentation.check import check_augmentation

        check_stage(self, "stage2")
        for name in ("momentum", "ema_decay"):
            check_rule(self, name, 0 <= getattr(self, name) < 1, ">= 0 and < 1")
        check_rule(self, "weight_decay", 0 <= self.weight_decay < 10, ">= 0 and < 10")
        if self.momentum and self.optimizer != "sgd":
            raise UserError(
                f"momentum needs the optimizer sgd, but got momentum {self.momentum:g} with "
                f"{self.optimizer}, which uses adam_beta1 instead; pass --optimizer sgd, or --momentum 0."
            )
        if self.amsgrad and self.optimizer == "sgd":
            raise UserError(
                "amsgrad is a variant of the optimizers adam and adamw, but the optimizer is sgd; pass "
                "--optimizer adam, or --amsgrad no."
            )
        check_rule(self, "step_epochs", self.step_epochs >= 1, ">= 1")
        check_rule(self, "step_factor", 0 < self.step_factor < 1, "> 0 and < 1")
        usual = type(self)
        if self.schedule != "step" and (
            (self.step_epochs, self.step_factor) != (usual.step_epochs, usual.step_factor)
        ):
            raise UserError(
                f"step_epochs and step_factor need the schedule step, but it is {self.schedule}; pass "
                "--schedule step, or leave them out."
            )
        if self.stage2_augmentation != "same":
            check_augmentation(self.stage2_augmentation, self.load_size_pixels)
