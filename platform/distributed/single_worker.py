"""Ray Train's set-up for a worker that has nobody to talk to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ray.train.backend import Backend
from ray.train.torch import TorchConfig


@dataclass
class SingleWorkerConfig(TorchConfig):
    """TorchConfig without a process group: one worker needs none, and torch's store for it listens on
    every interface of the machine, without a password.
    """

    @property
    def backend_cls(self) -> Any:
        """A backend that sets nothing up."""
        return Backend
