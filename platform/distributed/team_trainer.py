"""Ray Train's trainer for the workers of one run, without what costs a process and is of no use here.

A run on separate Train workers has processes that only wait. Ray's TorchTrainer makes six of them import
what training needs, or serve what a fold run does not use: torch (265 MB each), data sets of Ray Data, a
watch over placement groups that Ray's control store removes anyway, one over preempted nodes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.train import BackendConfig
from ray.train.v2._internal.callbacks import DatasetsCallback
from ray.train.v2._internal.callbacks.placement_group_callback import PlacementGroupCleanerCallback
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

USELESS = (DatasetsCallback, PlacementGroupCleanerCallback)
"""Callbacks of Ray Train that start an actor for each run."""
WATCHER = "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER"
"""Ray's variable for the actor that asks whether the run's nodes will be taken away. Our own checkpoints do
not wait for that news."""


class TeamBackend(BackendConfig):
    """TorchConfig without torch's import and without a TCP store. The store that Ray would start listens on
    all interfaces without a password; platform/distributed/process_group.py does not need it."""

    @property
    def train_func_context(self) -> Any:
        """As TorchConfig's."""
        return on_own_device


@contextmanager
def on_own_device() -> Iterator[None]:
    """Context of TorchConfig: CUDA's default device is the worker's own."""
    from ray.train.torch.config import TorchConfigContextManager

    with TorchConfigContextManager():
        yield


class TeamTrainer(DataParallelTrainer):
    """Ray's TorchTrainer for a loop that sets up its own process group."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """As DataParallelTrainer's, with TeamBackend."""
        os.environ.setdefault(WATCHER, "0")
        super().__init__(*arguments, backend_config=TeamBackend(), **options)

    def _create_default_callbacks(self) -> list[Any]:
        return [one for one in super()._create_default_callbacks() if not isinstance(one, USELESS)]
