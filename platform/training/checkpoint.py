"""Where a stage's training stands, on disk: weights and optimizer moments in safetensors, the rest in JSON.

A checkpoint is two files, `<stage>-<epoch>.safetensors` and, written after it, `<stage>-<epoch>.json`,
which holds the hash of the first and of itself. Nothing in either can run code. All randomness of an
epoch follows from the run's seed and the epoch's number, so no generator's state is kept.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from platform.errors import UserError
from platform.files.json_files import parse_own_json
from platform.files.opening import read_bytes

FORMAT = 2
KEPT = 2
"""Newest checkpoints of a stage that stay: the one before is there should the newest be damaged."""

LARGEST_BYTES = 16 * 2**30
"""Of a checkpoint's tensors."""

Curve = list[dict[str, float]]


class RunClock:
    """The seconds that a run's result has taken: of this start, and of those before it up to the checkpoint
    that it went on from."""

    def __init__(self) -> None:
        self._started, self._before = time.monotonic(), 0.0

    def seconds(self) -> float:
        """So far."""
        return self._before + time.monotonic() - self._started

    def go_on_from(self, seconds: float) -> None:
        """Count what had been spent when the checkpoint was written."""
        self._before = seconds


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """A folder for the checkpoints of one run, and how often they are written."""

    folder: Path
    every_epochs: int
    """Written after every so many epochs of a stage; what a kill loses at most."""
    writes: bool = True
    """False for all but the first of several workers: they only read."""
    clock: RunClock = field(default_factory=RunClock)
    """Whose time each checkpoint keeps, and goes on from."""

    def due(self, epoch: int, epochs: int) -> bool:
        """Whether a checkpoint belongs after `epoch` of `epochs`, counted from 1.

        None after the last: what follows, a fold's scoring at most, is shorter than an epoch, and then
        the result itself is on the disk.
        """
        return epoch < epochs and epoch % self.every_epochs == 0

    def save(
        self, stage: str, epoch: int, module: nn.Module, optimizer: torch.optim.Optimizer, curve: Curve
    ) -> None:
        """Write where `stage` stands after `epoch`; older checkpoints than the KEPT newest go.

        Nothing is written where another process takes the folder over meanwhile: it has the same run to do.
        """
        if not self.writes:
            return
        try:
            self._save(stage, epoch, module, optimizer, curve)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ESTALE):
                raise

    def _save(
        self, stage: str, epoch: int, module: nn.Module, optimizer: torch.optim.Optimizer, curve: Curve
    ) -> None:
        from safetensors.torch import save

        self.folder.mkdir(parents=True, exist_ok=True)
        content = save({**_module_tensors(module), **_optimizer_tensors(optimizer)})
        state: dict[str, Any] = {
            "format": FORMAT,
            "stage": stage,
            "epoch": epoch,
            "curve": curve,
            "seconds": round(self.clock.seconds(), 3),
            "tensors_sha256": hashlib.sha256(content).hexdigest(),
        }
        state["hash"] = _hash(state)
        path = self.folder / f"{stage}-{epoch:06d}"
        _write(path.with_suffix(".safetensors"), content)
        _write(path.with_suffix(".json"), json.dumps(state).encode())
        for old in self._epochs(stage)[:-KEPT]:
            for suffix in (".json", ".safetensors"):
                (self.folder / f"{stage}-{old:06d}{suffix}").unlink(missing_ok=True)

    def load(self, stage: str, module: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, Curve]:
        """Put `module` and `optimizer` where the newest sound checkpoint of `stage` stands.

        Returns its epoch and curve; (0, []) where there is none. A damaged one is named in a warning
        and the one before is used.
        """
        from safetensors import SafetensorError

        for epoch in reversed(self._epochs(stage)):
            path = self.folder / f"{stage}-{epoch:06d}"
            try:
                state, tensors = _read(path, stage, epoch)
                _restore(tensors, module, optimizer)
            except (UserError, ValueError, KeyError, TypeError, SafetensorError) as error:
                warnings.warn(
                    f"the checkpoint {path}.json cannot be used ({error}); going on from the one before",
                    stacklevel=2,
                )
                continue
            self.clock.go_on_from(state["seconds"])
            return epoch, state["curve"]
        return 0, []

    def _epochs(self, stage: str) -> list[int]:
        """Epochs of the stage's checkpoints, ascending; what lacks its JSON was not finished."""
        pattern = re.compile(re.escape(stage) + r"-(\d{6})\.json")
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            names = []
        return sorted(int(match[1]) for name in names if (match := pattern.fullmatch(name)))


def _module_tensors(module: nn.Module) -> dict[str, Tensor]:
    return {
        f"module.{name}": value.detach().cpu().contiguous() for name, value in module.state_dict().items()
    }


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Adam's step and moments of each parameter, by the parameter's number."""
    return {
        f"optimizer.{number}.{name}": value.detach().cpu().contiguous()
        for number, parameter in enumerate(_parameters(optimizer))
        for name, value in optimizer.state.get(parameter, {}).items()
    }


def _read(path: Path, stage: str, epoch: int) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Both files, checked against their hashes. Raises ValueError that says what does not hold."""
    from safetensors.torch import load

    name = path.with_suffix(".json")
    state = parse_own_json(read_bytes(name), str(name))
    if not isinstance(state, dict) or state.get("hash") != _hash(state):
        raise ValueError("its JSON does not match its own hash")
    if state["format"] != FORMAT:
        raise ValueError(f"it is of format {state['format']}, but this code reads {FORMAT}")
    if (state["stage"], state["epoch"]) != (stage, epoch):
        raise ValueError(f"it is of epoch {state['epoch']} of {state['stage']}")
    content = read_bytes(path.with_suffix(".safetensors"), largest_bytes=LARGEST_BYTES)
    if hashlib.sha256(content).hexdigest() != state["tensors_sha256"]:
        raise ValueError("its tensors do not match their hash")
    return state, load(content)


def _restore(tensors: dict[str, Tensor], module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Strict: every tensor of the module and of the optimizer is there, and no other."""
    weights = {name: tensors.pop(name) for name in list(tensors) if name.startswith("module.")}
    expected = {f"module.{name}": value.shape for name, value in module.state_dict().items()}
    if {name: value.shape for name, value in weights.items()} != expected:
        raise ValueError("its weights are those of another net")
    parameters = _parameters(optimizer)
    moments: list[dict[str, Tensor]] = [{} for _ in parameters]
    for name, value in tensors.items():
        _, number, key = name.split(".")
        parameter = parameters[int(number)]
        # Moments lie in memory as their parameter does: a fused step goes through both in one order.
        target = torch.empty_like(parameter) if value.shape == parameter.shape else value
        moments[int(number)][key] = target.copy_(value) if target is not value else value.to(parameter.device)
    if len({tuple(sorted(each)) for each in moments}) != 1:
        raise ValueError("its optimizer state is not that of these parameters")
    module.load_state_dict({name.removeprefix("module."): value for name, value in weights.items()})
    optimizer.state.clear()
    for parameter, state in zip(parameters, moments, strict=True):
        if state:
            optimizer.state[parameter] = state


def _hash(state: dict[str, Any]) -> str:
    fields = {name: value for name, value in state.items() if name != "hash"}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """The whole file or none, on the disk when this returns."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:  # half a file must not keep a full disk full
        temporary.unlink(missing_ok=True)
        raise
