"""Trains a small net in several processes that find each other through a file, as Train workers do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from datasets.batches import Batch, FaceTensors
from platform.models.player import Player
from platform.training.batch_norm import synchronised
from platform.training.face_items import FaceItems
from platform.training.loop import train_stage
from platform.training.seeding import torch_seeded
from platform.training.stage_settings import Training
from platform.training.workers import ALONE, Workers

SIDE, IMAGES, BATCH = 12, 21, 8


class Net(nn.Module):
    """Two convolutions with batch norm. No biases before it: their gradient is rounding alone, which
    Adam makes steps of."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 6, 3, bias=False),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Conv2d(6, 4, 3, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(),
        )
        self.head = nn.Linear(4, 3)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.layers(image).mean((2, 3)))


def loss(module: nn.Module, batch: Batch) -> dict[str, Tensor]:
    logits = module(batch.image)
    return {
        "loss": nn.functional.cross_entropy(logits, batch.labels),
        "correct": (logits.argmax(1) == batch.labels).sum(),
    }


def train(workers: Workers, synchronise: bool) -> tuple[list[dict[str, float]], dict[str, Tensor]]:
    """The curve and the weights after three epochs; the last batch of each holds 5 images."""
    torch.set_num_threads(1)
    with torch_seeded(0, "test"):
        net: nn.Module = Net()
    if synchronise:
        net = synchronised(net, torch.device("cpu"))
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
    faces = FaceTensors(images, np.arange(IMAGES) % 3, None, "cpu")
    training = Training(
        stage="stage2", constant_epochs=2, decay_epochs=1, batch_size=BATCH, minimum_batch=1,
        betas=(0.5, 0.999), seed=0,
    )  # fmt: skip
    players = [Player(groups=[{"params": list(net.parameters()), "lr": 1e-2}], loss=loss)]
    items = FaceItems(faces, augmentation="paper", crop_size_pixels=10)
    curve = train_stage(net, players, items, training, report=lambda values: None, workers=workers)
    return curve, net.state_dict()


def main() -> None:
    """`worker_team.py FOLDER RANK COUNT SYNCHRONISE`: this worker's curve and weights into FOLDER."""
    folder, rank, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder / 'rendezvous'}", rank=rank, world_size=count
    )
    curve, state = train(Workers(rank=rank, count=count) if count > 1 else ALONE, sys.argv[4] == "yes")
    torch.save((curve, state), folder / f"{rank}.pt")
    # Rarely, gloo aborts a process that ends while the other one still sends.
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
