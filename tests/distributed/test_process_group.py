"""The rendezvous of Train workers, without starting Ray."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import ray.train
import torch
from ray.train.backend import Backend
from ray.train.torch import TorchConfig

from platform.distributed.process_group import NoProcessGroup, process_group
from platform.training.workers import ALONE


def test_train_starts_no_store_that_listens_on_all_interfaces() -> None:
    assert isinstance(NoProcessGroup(), TorchConfig)
    assert NoProcessGroup().backend_cls is Backend


def test_a_single_worker_needs_no_process_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = SimpleNamespace(get_world_rank=lambda: 0, get_world_size=lambda: 1)
    monkeypatch.setattr(ray.train, "get_context", lambda: alone)
    with process_group(tmp_path / "rendezvous") as workers:
        assert workers is ALONE
        assert not torch.distributed.is_initialized()
    assert list(tmp_path.iterdir()) == []
