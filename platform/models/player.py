"""Players: what takes turns within a training step, each with a loss, parameters and optimizer of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor, nn

OptimizerName = Literal["adam", "adamw", "sgd"]


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """An optimizer and all of its settings but the learning rates, which parameter groups have."""

    betas: tuple[float, float]
    """Of Adam and AdamW; SGD does not read them."""
    optimizer: OptimizerName = "adam"
    weight_decay: float = 0.0
    momentum: float = 0.0
    """Momentum of SGD; the other optimizers do not read it."""
    amsgrad: bool = False
    """Whether Adam and AdamW divide by the largest second moment so far (Reddi et al., ICLR 2018)."""

    def __post_init__(self) -> None:
        if self.amsgrad and self.optimizer == "sgd":
            raise ValueError("amsgrad is a variant of adam and adamw, but the optimizer is sgd")


Loss = Callable[["nn.Module", Any], Mapping[str, "Tensor"]]
"""(module, batch) -> scalars of the batch: `loss`, which is minimised, its terms, and optionally the count
`correct`. All but `correct` are means over the batch's items. With several workers the batch is a worker's
share; a loss that couples items gathers them (platform/training/collectives.py)."""


@dataclass(frozen=True, kw_only=True)
class Player:
    """One of those who train a stage's module. Most stages have one; a GAN has two, which take turns within
    every step, in the order of the stage."""

    groups: Sequence[Mapping[str, Any]]
    """Parameter groups of the optimizer, each with `params`, its full learning rate `lr` and optionally the
    `name` that curves use for its rate. Only these parameters change in the player's turn."""
    loss: Loss
    name: str = ""
    """Prefix of the player's scalars in curves; may be empty for the only player."""
    optimizer: OptimizerSettings | None = None
    """None: the stage's."""


def check_players(players: Sequence[Player]) -> None:
    """Raises ValueError unless there is a player and each can be told from the others in curves."""
    if not players:
        raise ValueError("a stage must have at least one player, but got none")
    names = [player.name for player in players]
    if len(names) > 1 and not all(names):
        raise ValueError(f"each of several players must have a name, but got {names}")
    if len(set(names)) < len(names):
        raise ValueError(f"the names of players must differ, but got {names}")
    for name, other in permutations(names, 2):
        if other.startswith(f"{name}_"):
            raise ValueError(f"curves could not tell the players {name!r} and {other!r} apart; rename one")
