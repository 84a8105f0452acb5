"""One of two workers on hosts of their own, for test_network_interface.py: adds up with the other one.

    python -m tests.distributed.two_hosts FOLDER ADDRESS RANK ours|gloo

`gloo`: without the choice of an interface.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import ray.train
import ray.util
import torch

from platform.distributed import process_group
from platform.distributed.network_interface import GLOO


def main() -> None:
    """Write the sum of both workers' numbers, and the interface."""
    folder, address, rank, choice = sys.argv[1:]
    context = SimpleNamespace(get_world_rank=lambda: int(rank), get_world_size=lambda: 2)
    choose = process_group.use_interface_of if choice == "ours" else lambda *_: None
    with (
        mock.patch.object(ray.train, "get_context", return_value=context),
        mock.patch.object(ray.util, "get_node_ip_address", return_value=address),
        mock.patch.object(process_group, "TIMEOUT_SECONDS", 20),
        mock.patch.object(process_group, "use_interface_of", choose),
        process_group.process_group(Path(folder) / "rendezvous") as workers,
    ):
        total = torch.tensor([float(workers.rank + 1)])
        torch.distributed.all_reduce(total)
        (Path(folder) / f"sum.{rank}").write_text(f"{total.item()} {os.environ.get(GLOO)}")


if __name__ == "__main__":
    main()
