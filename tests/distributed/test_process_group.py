"""The rendezvous of Train workers, without starting Ray."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray.train
import ray.util
import torch

from platform.distributed import process_group
from platform.training.workers import ALONE


def test_a_single_worker_needs_no_process_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = SimpleNamespace(get_world_rank=lambda: 0, get_world_size=lambda: 1)
    monkeypatch.setattr(ray.train, "get_context", lambda: alone)
    with process_group.process_group(tmp_path / "rendezvous") as workers:
        assert workers is ALONE
        assert not torch.distributed.is_initialized()
    assert list(tmp_path.iterdir()) == []


def end(rank: int, folder: str, failing: bool) -> None:
    """A worker in a process of its own: the first one stores its result after the other has finished."""
    ray.train.get_context = lambda: SimpleNamespace(  # type: ignore[assignment]
        get_world_rank=lambda: rank, get_world_size=lambda: 2
    )
    ray.util.get_node_ip_address = lambda: "127.0.0.1"
    with (
        contextlib.suppress(ValueError) if rank else contextlib.nullcontext(),
        process_group.process_group(Path(folder) / "rendezvous"),
    ):
        if rank == 0:
            while not failing and not (Path(folder) / "other").exists():
                time.sleep(0.05)
            time.sleep(0.2)
        else:
            (Path(folder) / "other").touch()
            if failing:
                raise ValueError
    (Path(folder) / f"{rank}").write_text(str(time.time()))


@pytest.mark.parametrize("failing", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_workers_end_together_unless_one_fails(tmp_path: Path, failing: bool) -> None:
    """The one that fails does not wait, and its end does not hold up the other, whose work is done."""
    torch.multiprocessing.spawn(end, (str(tmp_path), failing), nprocs=2)
    first, other = (float((tmp_path / str(rank)).read_text()) for rank in range(2))
    assert os.environ.get("GLOO_SOCKET_IFNAME") is None, "set in the workers only"
    assert (other < first) if failing else abs(other - first) < process_group.END_SECONDS
