"""Rendezvous of the Train workers of one fold run: through a file instead of an open port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray.train.backend import Backend
from ray.train.torch import TorchConfig

from platform.training.workers import ALONE, Workers

TIMEOUT_SECONDS = 600
"""Timeout of a collective operation, after which a lost worker is an error in the others."""


@dataclass
class NoProcessGroup(TorchConfig):
    """TorchConfig without a TCP store. The store that Ray would start listens on all interfaces without a
    password; `process_group` does not need it."""

    @property
    def backend_cls(self) -> Any:
        """A backend without set-up."""
        return Backend


@contextmanager
def process_group(rendezvous: Path) -> Iterator[Workers]:
    """Context with torch's process group initialised (gloo, or NCCL on GPUs); yields this worker's rank.

    `rendezvous` is a file that does not exist yet, in a folder that all workers share. On a loopback-only
    cluster gloo uses the loopback interface too.
    """
    import ray.train
    import ray.util
    import torch

    context = ray.train.get_context()
    workers = Workers(rank=context.get_world_rank(), count=context.get_world_size())
    if workers.count == 1:
        yield ALONE
        return
    if ray.util.get_node_ip_address().startswith("127."):
        os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    from datetime import timedelta

    torch.distributed.init_process_group(
        "nccl" if torch.cuda.is_available() and ray.get_gpu_ids() else "gloo",
        init_method=f"file://{rendezvous}",
        rank=workers.rank,
        world_size=workers.count,
        timeout=timedelta(seconds=TIMEOUT_SECONDS),
    )
    try:
        yield workers
    finally:
        torch.distributed.destroy_process_group()
