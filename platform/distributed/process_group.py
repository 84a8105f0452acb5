"""Rendezvous of the Train workers of one fold run: through a file instead of an open port."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from platform.distributed.network_interface import use_interface_of

if TYPE_CHECKING:
    from platform.training.workers import Workers

TIMEOUT_SECONDS = 600
"""Timeout of a collective operation, after which a lost worker is an error in the others."""
END_SECONDS = 60
"""Time that a worker waits for the others at the end: the first one stores the result meanwhile."""


@contextmanager
def process_group(rendezvous: Path) -> Iterator[Workers]:
    """Context with torch's process group initialised (gloo, or NCCL on GPUs); yields this worker's rank.

    `rendezvous` is a file that does not exist yet, in a folder that all workers share. The workers talk
    through the interface of their node's address: on a private cluster the loopback interface.
    """
    import ray.train
    import ray.util
    import torch

    from platform.training.workers import ALONE, Workers

    context = ray.train.get_context()
    workers = Workers(rank=context.get_world_rank(), count=context.get_world_size())
    if workers.count == 1:
        yield ALONE
        return
    use_interface_of(ray.util.get_node_ip_address(), os.environ)
    torch.distributed.init_process_group(
        "nccl" if torch.cuda.is_available() and ray.get_gpu_ids() else "gloo",
        init_method=f"file://{rendezvous}",
        rank=workers.rank,
        world_size=workers.count,
        timeout=timedelta(seconds=TIMEOUT_SECONDS),
    )
    try:
        yield workers
        _end_together()
    finally:
        torch.distributed.destroy_process_group()


def _end_together() -> None:
    """Wait for the other workers: rarely, gloo aborts a process that ends while another one still sends.

    A worker that fails does not come here. The work is done, so it does not matter if another one is lost or
    late.
    """
    import torch

    if torch.distributed.get_backend() == "gloo":
        with suppress(RuntimeError):
            torch.distributed.monitored_barrier(timeout=timedelta(seconds=END_SECONDS))
