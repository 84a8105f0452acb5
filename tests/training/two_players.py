"""Two players on numbers: steps that can be computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from platform.models.items import Items
from platform.models.player import Loss, OptimizerSettings, Player
from platform.training.checkpoint import Checkpoints
from platform.training.loop import train_stage
from platform.training.seeding import torch_seeded
from platform.training.stage_settings import Training

RATES = {"maker": 0.1, "judge": 0.5}


class Numbers(Items):
    """`count` ones per epoch: a batch is their column."""

    def __init__(self, count: int) -> None:
        self.count = count

    def epoch(self, random: torch.Generator) -> Tensor:
        return torch.arange(self.count)

    def batch(self, index: Tensor, draw: Tensor) -> Tensor:
        return torch.ones(len(index), 1)


class Game(nn.Module):
    """A maker m and a judge j, single numbers, and a part that no loss uses."""

    def __init__(self, noise: float = 0.0) -> None:
        super().__init__()
        self.maker = nn.Linear(1, 1, bias=False)
        self.judge = nn.Linear(1, 1, bias=False)
        self.unused = nn.Linear(1, 1)
        self.dropout = nn.Dropout(noise)
        with torch_seeded(0, "test"):
            nn.init.constant_(self.maker.weight, 1.0)
            nn.init.constant_(self.judge.weight, 2.0)
            for parameter in self.unused.parameters():
                nn.init.normal_(parameter)


def judge_loss(game: nn.Module, batch: Tensor) -> dict[str, Tensor]:
    """j m, whose gradient is m for j, and j for the m that is not its own."""
    product = (game.judge(game.maker(game.dropout(batch)))).mean()
    return {"loss": product, "product": product}


def maker_loss(game: nn.Module, batch: Tensor) -> dict[str, Tensor]:
    """-j m, whose gradient for m is -j."""
    return {"loss": -(game.judge(game.maker(game.dropout(batch)))).mean()}


def players(game: Game, *, optimizer: OptimizerSettings | None = None, **losses: Loss) -> list[Player]:
    """The judge, then the maker, who has the unused part too; `optimizer` is the maker's own."""
    makers = [*game.maker.parameters(), *game.unused.parameters()]
    return [
        Player(
            name="judge",
            groups=[{"params": list(game.judge.parameters()), "lr": RATES["judge"]}],
            loss=losses.get("judge", judge_loss),
        ),
        Player(
            name="maker",
            groups=[{"params": makers, "lr": RATES["maker"], "name": "net"}],
            loss=losses.get("maker", maker_loss),
            optimizer=optimizer,
        ),
    ]


def play(
    game: Game,
    taking_part: list[Player],
    *,
    count: int = 4,
    report: Callable[[dict[str, Any]], None] = lambda values: None,
    checkpoints: Checkpoints | None = None,
    **changes: Any,
) -> list[dict[str, float]]:
    """The curve of two epochs with SGD, one batch each, unless `changes` say otherwise."""
    settings: dict[str, Any] = {
        "stage": "game", "constant_epochs": 2, "decay_epochs": 0, "batch_size": 4, "minimum_batch": 1,
        "betas": (0.5, 0.999), "seed": 0, "optimizer": "sgd", "schedule": "constant", **changes,
    }  # fmt: skip
    return train_stage(
        game, taking_part, Numbers(count), Training(**settings), report=report, checkpoints=checkpoints
    )
