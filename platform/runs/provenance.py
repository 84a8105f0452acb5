"""Where, when and by which code a result was computed: facts for its manifest, never part of its record."""

from __future__ import annotations

import functools
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from platform.host.checkout import checkout
from platform.host.gpus import ask_driver
from platform.host.processor import processor_name


def provenance(
    device: str = "cpu", now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> dict[str, Any]:
    """The facts of a result that this process has just computed on `device` (`cpu`, `cuda`, `cuda:1`).

    `time` (UTC, ISO 8601, to the second), `host`, `processor`, `instructions` (those that torch chose: they
    change last bits), `commit` and `clean` (platform/host/checkout.py; None: unknown), and on a GPU `gpu`,
    `driver` (None: unknown) and `cuda`.
    """
    version = checkout()
    return {
        "time": now().astimezone(UTC).isoformat(timespec="seconds"),
        "commit": version.commit,
        "clean": version.clean,
        **_machine(),
        # Motion masks can be made without torch.
        **({"instructions": _instructions()} if "torch" in sys.modules else {}),
        **(_gpu(device) if device.startswith("cuda") else {}),
    }


@functools.cache
def _machine() -> dict[str, Any]:
    return {"host": socket.gethostname(), "processor": processor_name()}


def _instructions() -> str:
    import torch

    return str(torch.backends.cpu.get_cpu_capability())


@functools.cache
def _gpu(device: str) -> dict[str, Any]:
    import torch

    try:
        name = torch.cuda.get_device_name(device)
    except (RuntimeError, AssertionError):  # after an error on the GPU it may answer nothing any more
        name = None
    return {
        "gpu": name,
        "driver": ask_driver().version or None,
        "cuda": torch.version.cuda or torch.version.hip,
    }
