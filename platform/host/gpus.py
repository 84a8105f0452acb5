"""GPUs of this machine that torch can use, and otherwise why it cannot.

The driver is asked through nvidia-smi and torch in a process of its own: asking it here would take GPU memory
for as long as this process lives.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HIDING = "CUDA_VISIBLE_DEVICES"
DEVICE_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")
"""A driver's own files (NVIDIA, WSL, AMD): there may be a GPU although no nvidia-smi is on the PATH."""
TIMEOUT_SECONDS = 120.0
ASK_TORCH = """
import json, torch
found = []
if torch.cuda.is_available():
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        found.append({"name": torch.cuda.get_device_name(index), "total": total, "free": free})
build = torch.version.cuda or torch.version.hip
print(json.dumps({"version": torch.__version__, "build": build, "gpus": found}))
"""


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """One GPU that torch can use."""

    index: int
    """As torch counts those that are visible."""
    name: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, kw_only=True)
class GpusThere:
    """The GPUs of a place where fold runs may compute."""

    gpus: tuple[Gpu, ...] = ()
    why_none: str = ""
    """Why none can be used, as a clause; empty if there is one."""
    may_grow: bool = False
    """Whether more may be started: an autoscaling cluster."""
    cpus: int = 0
    """CPUs beside these GPUs, of a cluster's nodes; 0: not asked."""

    def describe(self) -> str:
        """`NVIDIA H200 (139.8 GiB)`, `2 x NVIDIA A10G (22.0 GiB each)`."""
        kinds = Counter((gpu.name, round(gpu.total_bytes / 2**30, 1)) for gpu in self.gpus)
        return ", ".join(
            f"{name} ({size} GiB)" if count == 1 else f"{count} x {name} ({size} GiB each)"
            for (name, size), count in kinds.items()
        )


@dataclass(frozen=True, kw_only=True)
class Driver:
    """What the driver says."""

    names: tuple[str, ...] = ()
    """Models of its GPUs, hidden ones too."""
    version: str = ""
    failure: str = ""
    """Why it cannot be asked although it is installed."""
    is_there: bool = False
    """Whether there is a sign of a GPU."""


def gpus_here(
    driver: Callable[[], Driver] | None = None,
    torch: Callable[[], Mapping[str, Any]] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> GpusThere:
    """The GPUs of this machine.

    torch: its version, `build` (the CUDA version that it is built for, or None) and `gpus`; it may raise
    RuntimeError. It is not asked on a machine without a GPU.
    """
    said = (driver or ask_driver)()
    if not said.is_there:
        return GpusThere(why_none="this machine has no GPU")
    which = _named(said)
    hidden = environment.get(HIDING)
    if hidden is not None and hidden.strip() in ("", "-1", "NoDevFiles"):
        return GpusThere(why_none=f"{HIDING} is {hidden!r}, which hides {which}; unset it to use it")
    try:
        facts = (torch or ask_torch)()
    except RuntimeError as error:
        return GpusThere(why_none=f"torch cannot use {which}: {error}")
    if facts["gpus"]:
        return GpusThere(
            gpus=tuple(
                Gpu(index=index, name=one["name"], total_bytes=one["total"], free_bytes=one["free"])
                for index, one in enumerate(facts["gpus"])
            )
        )
    return GpusThere(why_none=_why_unusable(said, facts, which, hidden))


def _why_unusable(said: Driver, facts: Mapping[str, Any], which: str, hidden: str | None) -> str:
    """Why torch, which was asked, sees no GPU though there is one."""
    if facts["build"] is None:
        return (
            f"torch {facts['version']} is built without CUDA and cannot use {which}; install a build of this "
            "version for CUDA"
        )
    if said.failure:
        return f"the driver of {which} does not answer ({said.failure}); install or restart it"
    if hidden is not None:
        return f"{HIDING} is {hidden!r}, which names none of {which}; correct or unset it"
    version = f" {said.version}" if said.version else ""
    return (
        f"torch {facts['version']}, built for CUDA {facts['build']}, cannot use {which} with the driver"
        f"{version}; update the driver, or install a torch for an older CUDA"
    )


def _named(said: Driver) -> str:
    """`the NVIDIA A10G`, `the 2 GPUs (NVIDIA A10G)`."""
    if not said.names:
        return "the GPU"
    if len(said.names) == 1:
        return f"the {said.names[0]}"
    return f"the {len(said.names)} GPUs ({', '.join(dict.fromkeys(said.names))})"


def ask_driver(
    command: str | None = None, device_files: Sequence[str] = DEVICE_FILES, timeout_seconds: float = 30.0
) -> Driver:
    """What nvidia-smi says (`command`; None: the one on the PATH); without one, only whether the files of a
    driver are there."""
    command = command or shutil.which("nvidia-smi")
    files = any(Path(name).exists() for name in device_files)
    if command is None:
        return Driver(is_there=files)
    asked = [command, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=timeout_seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Driver(failure=f"nvidia-smi: {type(error).__name__}", is_there=files)
    lines = [line.rpartition(",") for line in done.stdout.splitlines() if line.strip()]
    if done.returncode or not all(comma for _, comma, _ in lines):
        text = (done.stdout.strip() or done.stderr.strip() or "nvidia-smi failed").splitlines()[0]
        no_device = "no devices" in text.lower()
        return Driver(failure="" if no_device else text, is_there=files and not no_device)
    names = tuple(name.strip() for name, _, _ in lines)
    version = lines[0][2].strip() if lines else ""
    return Driver(names=names, version=version, is_there=bool(names))


def ask_torch(
    python: str = sys.executable, code: str = ASK_TORCH, timeout_seconds: float = TIMEOUT_SECONDS
) -> Mapping[str, Any]:
    """What torch says of the visible GPUs, in a process of its own. RuntimeError: it does not answer."""
    try:
        done = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, check=False, timeout=timeout_seconds
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(f"it did not answer ({type(error).__name__})") from error
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1])
    facts: Mapping[str, Any] = json.loads((done.stdout.splitlines() or ["{}"])[-1])
    return facts
