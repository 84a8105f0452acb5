"""Checkpoints of a stage: weights and optimizer moments in safetensors, everything else in JSON.

A checkpoint consists of two files: `<stage>-<epoch>.safetensors`, and `<stage>-<epoch>.json`, which is
written second and holds a hash of both. Neither can execute code. The randomness of an epoch is derived
from the run's seed and the epoch number, so no generator state is stored.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from platform.errors import UserError
from platform.files.json_files import parse_own_json
from platform.files.local_storage import LOCAL, LocalStorage
from platform.files.opening import read_bytes
from platform.training.optimizer import state_names

FORMAT = 2
KEPT = 2
"""Checkpoints kept per stage: the newest, and the previous one in case the newest is damaged."""

LARGEST_BYTES = 16 * 2**30
"""Limit on the size of a checkpoint's tensor file."""

Curve = list[dict[str, float]]

Optimizers = Mapping[str, torch.optim.Optimizer]
"""The optimizer of each player of a stage, in their order, by the player's name."""


class RunClock:
    """Seconds spent on a run: since this start, plus those recorded in the checkpoint it resumed from."""

    def __init__(self) -> None:
        self._started, self._before = time.monotonic(), 0.0

    def seconds(self) -> float:
        """Seconds spent so far."""
        return self._before + time.monotonic() - self._started

    def go_on_from(self, seconds: float) -> None:
        """Add the seconds that had been spent when the checkpoint was written."""
        self._before = seconds


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """The checkpoint folder of one run, and the interval between checkpoints."""

    folder: Path
    every_epochs: int
    """Epochs of a stage between checkpoints: the most that a killed run loses."""
    at_end: bool = False
    """Whether to write one after a stage's last epoch too: where more follows it than scoring."""
    writes: bool = True
    """False for every worker but the first: the others only read."""
    clock: RunClock = field(default_factory=RunClock)
    """Its reading is stored in each checkpoint and restored on resuming."""
    storage: LocalStorage = LOCAL
    """Writes them, unless a newer attempt at the run has begun (platform/runs/attempts.py)."""

    def due(self, epoch: int, epochs: int) -> bool:
        """Whether to write a checkpoint after `epoch` of `epochs`, counted from 1.

        After the last epoch only if `at_end`: where only scoring follows, it takes less than an epoch, and
        then the result itself is stored.
        """
        return self.at_end if epoch == epochs else epoch % self.every_epochs == 0

    def save(self, stage: str, epoch: int, module: nn.Module, optimizers: Optimizers, curve: Curve) -> None:
        """Write the state of `stage` after `epoch` and delete all but the KEPT newest checkpoints.

        Writes nothing if another process has taken over the folder meanwhile: it computes the same run.
        """
        if not self.writes:
            return
        try:
            self._save(stage, epoch, module, optimizers, curve)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ESTALE):
                raise

    def _save(self, stage: str, epoch: int, module: nn.Module, optimizers: Optimizers, curve: Curve) -> None:
        from safetensors.torch import save

        self.storage.may_write()
        self.folder.mkdir(parents=True, exist_ok=True)
        content = save({**_module_tensors(module), **_optimizer_tensors(optimizers)})
        state: dict[str, Any] = {
            "format": FORMAT,
            "stage": stage,
            "epoch": epoch,
            "curve": curve,
            "seconds": round(self.clock.seconds(), 3),
            "tensors_sha256": hashlib.sha256(content).hexdigest(),
            **_several_players(optimizers),
        }
        state["hash"] = _hash(state)
        path = self.folder / f"{stage}-{epoch:06d}"
        # A folder that another process has taken over must not come back with half a checkpoint.
        self.storage.replace(path.with_suffix(".safetensors"), content, make_folder=False)
        self.storage.replace(path.with_suffix(".json"), json.dumps(state).encode(), make_folder=False)
        for old in self._epochs(stage)[:-KEPT]:
            for suffix in (".json", ".safetensors"):
                LOCAL.remove(self.folder / f"{stage}-{old:06d}{suffix}")

    def load(self, stage: str, module: nn.Module, optimizers: Optimizers) -> tuple[int, Curve]:
        """Restore `module` and `optimizers` from the newest valid checkpoint of `stage`.

        Returns its epoch and curve, or (0, []) if there is none. A damaged checkpoint causes a warning that
        names it, and the previous one is used.
        """
        from safetensors import SafetensorError

        for epoch in reversed(self._epochs(stage)):
            path = self.folder / f"{stage}-{epoch:06d}"
            try:
                state, tensors = _read(path, stage, epoch)
                _check_players(state, optimizers)
                _restore(tensors, module, optimizers)
            except (UserError, ValueError, KeyError, TypeError, SafetensorError) as error:
                warnings.warn(
                    f"the checkpoint {path}.json cannot be used ({error}); resuming from the previous one",
                    stacklevel=2,
                )
                continue
            self.clock.go_on_from(state["seconds"])
            return epoch, state["curve"]
        return 0, []

    def _epochs(self, stage: str) -> list[int]:
        """Epochs of the stage's checkpoints, ascending; one without its JSON file is incomplete."""
        pattern = re.compile(re.escape(stage) + r"-(\d{6})\.json")
        return [int(match[1]) for name in LOCAL.names(self.folder) if (match := pattern.fullmatch(name))]


def _module_tensors(module: nn.Module) -> dict[str, Tensor]:
    return {
        f"module.{name}": value.detach().cpu().contiguous() for name, value in module.state_dict().items()
    }


def _parameters(optimizers: Optimizers) -> Iterator[tuple[torch.optim.Optimizer, Tensor]]:
    """Each optimizer's parameters in order. A parameter of two players comes twice."""
    for optimizer in optimizers.values():
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                yield optimizer, parameter


def _optimizer_tensors(optimizers: Optimizers) -> dict[str, Tensor]:
    """Adam's step count and moments of each parameter, keyed by the parameter's number over all players."""
    return {
        f"optimizer.{number}.{name}": value.detach().cpu().contiguous()
        for number, (optimizer, parameter) in enumerate(_parameters(optimizers))
        for name, value in optimizer.state.get(parameter, {}).items()
    }


def _several_players(optimizers: Optimizers) -> dict[str, Any]:
    """Names and numbers of parameters of several players; nothing for one, as before there were several."""
    if len(optimizers) == 1:
        return {}
    counts = [
        [name, sum(len(group["params"]) for group in optimizer.param_groups)]
        for name, optimizer in optimizers.items()
    ]
    return {"players": counts}


def _check_players(state: Mapping[str, Any], optimizers: Optimizers) -> None:
    expected = _several_players(optimizers).get("players")
    if state.get("players") != expected:
        raise ValueError(
            f"its players are {state.get('players', 'one')}, but this stage's are {expected or 'one'}"
        )


def _read(path: Path, stage: str, epoch: int) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """State and tensors, verified against their hashes. ValueError: what does not match."""
    from safetensors.torch import load

    name = path.with_suffix(".json")
    state = parse_own_json(read_bytes(name), str(name))
    if not isinstance(state, dict) or state.get("hash") != _hash(state):
        raise ValueError("its JSON file does not match its hash")
    if state["format"] != FORMAT:
        raise ValueError(f"its format is {state['format']}, but this version reads format {FORMAT}")
    if (state["stage"], state["epoch"]) != (stage, epoch):
        raise ValueError(f"it belongs to epoch {state['epoch']} of {state['stage']}")
    content = read_bytes(path.with_suffix(".safetensors"), largest_bytes=LARGEST_BYTES)
    if hashlib.sha256(content).hexdigest() != state["tensors_sha256"]:
        raise ValueError("its tensors do not match their hash")
    return state, load(content)


def _restore(tensors: dict[str, Tensor], module: nn.Module, optimizers: Optimizers) -> None:
    """Strict: the tensors must be exactly those of the module and the optimizers. Parameters that have had no
    gradient have no moments."""
    weights = {name: tensors.pop(name) for name in list(tensors) if name.startswith("module.")}
    expected = {f"module.{name}": value.shape for name, value in module.state_dict().items()}
    if {name: value.shape for name, value in weights.items()} != expected:
        raise ValueError("its weights belong to another network")
    parameters = list(_parameters(optimizers))
    moments: list[dict[str, Tensor]] = [{} for _ in parameters]
    for name, value in tensors.items():
        _, number, key = name.split(".")
        _, parameter = parameters[int(number)]
        # Moments need the memory layout of their parameter: a fused step traverses both in one order.
        target = torch.empty_like(parameter) if value.shape == parameter.shape else value
        moments[int(number)][key] = target.copy_(value) if target is not value else value.to(parameter.device)
    for (optimizer, parameter), state in zip(parameters, moments, strict=True):
        fits = all(value.shape == parameter.shape or name == "step" for name, value in state.items())
        if state and not (fits and state.keys() == state_names(optimizer)):
            raise ValueError("its optimizer state does not fit these parameters")
    module.load_state_dict({name.removeprefix("module."): value for name, value in weights.items()})
    for optimizer in optimizers.values():
        optimizer.state.clear()
    for (optimizer, parameter), state in zip(parameters, moments, strict=True):
        if state:
            optimizer.state[parameter] = state


def _hash(state: dict[str, Any]) -> str:
    fields = {name: value for name, value in state.items() if name != "hash"}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
