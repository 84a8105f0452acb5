"""Workers that train two players with losses that couple the items of a batch."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from platform.models.items import Items
from platform.models.player import Player
from platform.training.collectives import gathered
from platform.training.loop import train_stage
from platform.training.seeding import torch_seeded
from platform.training.stage_settings import Training
from platform.training.workers import Workers

POINTS, CLASSES, BATCH, PAIRS = 12, 3, 7, 17
"""The last batch of an epoch has three pairs: two workers have two and one of them."""


@dataclass(frozen=True)
class Pairs:
    """[b, 4] first and second points, labels of the first."""

    first: Tensor
    second: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


class RandomPairs(Items):
    """PAIRS random pairs of points per epoch, moved by noise of their own."""

    def __init__(self) -> None:
        self.points = torch.randn(POINTS, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def epoch(self, random: torch.Generator) -> Tensor:
        return torch.randint(POINTS, (PAIRS, 2), generator=random)

    def batch(self, index: Tensor, draw: Tensor) -> Pairs:
        noise = [torch.randn(4, generator=torch.Generator().manual_seed(seed)) for seed in draw.tolist()]
        first = self.points[index[:, 0]] + 0.1 * torch.stack(noise)
        return Pairs(first, self.points[index[:, 1]], index[:, 0] % CLASSES)


class Net(nn.Module):
    """Parts that losses call one by one, and one that none calls."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Linear(4, 3)
        self.head = nn.Linear(3, CLASSES)
        self.judge = nn.Linear(3, 1)
        self.unused = nn.Linear(2, 2)


def structure_loss(module: nn.Module, batch: Pairs) -> dict[str, Tensor]:
    """Cross entropy of each item, Gaussian class structure (FERAtt: every class's mean over the batch), and
    a margin between the first point of each pair and the second of every other."""
    net: Any = module
    own = net.encoder(batch.first)
    codes, others, labels = gathered(own), gathered(net.encoder(batch.second)), gathered(batch.labels)
    member = functional.one_hot(labels, CLASSES).to(codes.dtype)
    means = member.T @ codes / member.sum(0).clamp(min=1)[:, None]
    likely = torch.softmax(-((codes[:, None] - means) ** 2).sum(2) / 2, 1)
    structure = ((likely - member) ** 2).sum(1).mean()
    margin = torch.relu(1 - ((codes[:, None] - others) ** 2).sum(2)).mean()
    logits = net.head(own)
    classification = functional.cross_entropy(logits, batch.labels)
    return {
        "loss": classification + structure + margin,
        "structure": structure,
        "correct": (logits.argmax(1) == batch.labels).sum(),
    }


def judge_loss(module: nn.Module, batch: Pairs) -> dict[str, Tensor]:
    """The judge tells first points from second ones."""
    net: Any = module
    scores = [net.judge(net.encoder(points).detach()) for points in (batch.first, batch.second)]
    return {"loss": functional.softplus(-scores[0]).mean() + functional.softplus(scores[1]).mean()}


def train(workers: Workers) -> tuple[list[dict[str, float]], dict[str, Tensor]]:
    """The curve and the weights after two epochs of SGD, whose steps are its gradients."""
    torch.set_num_threads(1)
    # Each worker's start is another; the first one's is everybody's.
    with torch_seeded(workers.rank, "test"):
        net = Net().double()
    learning = [*net.encoder.parameters(), *net.head.parameters(), *net.unused.parameters()]
    players = [
        Player(name="learner", groups=[{"params": learning, "lr": 0.1}], loss=structure_loss),
        Player(name="judge", groups=[{"params": list(net.judge.parameters()), "lr": 0.1}], loss=judge_loss),
    ]
    training = Training(
        stage="coupled", constant_epochs=2, decay_epochs=0, batch_size=BATCH, minimum_batch=1,
        betas=(0.9, 0.999), seed=0, schedule="constant", optimizer="sgd", weight_decay=0.01,
    )  # fmt: skip
    curve = train_stage(net, players, RandomPairs(), training, report=lambda values: None, workers=workers)
    return curve, net.state_dict()


def summed(workers: Workers) -> list[Tensor | None]:
    """Gradients summed over the workers: 1 + 2 on both, 2 on the second worker alone, none on either; the
    first with a layout of its own, the last of another dtype."""
    parameters = [
        nn.Parameter(torch.zeros(2, 2, 2, 2).to(memory_format=torch.channels_last)),
        nn.Parameter(torch.zeros(3)),
        nn.Parameter(torch.zeros(1)),
        nn.Parameter(torch.zeros(2, dtype=torch.float64)),
    ]
    value = workers.rank + 1.0
    parameters[0].grad = torch.arange(16.0).reshape(2, 2, 2, 2) * value
    if workers.rank == 1:
        parameters[1].grad = torch.full((3,), value)
    parameters[3].grad = torch.full((2,), value, dtype=torch.float64)
    workers.sum_gradients(parameters)
    return [parameter.grad for parameter in parameters]


def main() -> None:
    """`coupled_team.py FOLDER RANK COUNT`: this worker's curve, weights and sums into FOLDER."""
    folder, rank, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'rendezvous'}", rank=rank, world_size=count
    )
    workers = Workers(rank=rank, count=count)
    rows = torch.arange(10.0).reshape(5, 2)
    torch.save(
        {
            "trained": train(workers),
            "summed": summed(workers),
            "gathered": [gathered(workers.share(rows)), gathered(workers.share(rows[:, 0].long()))],
        },
        folder / f"{rank}.pt",
    )
    # Rarely, gloo aborts a process that ends while the other one still sends.
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
