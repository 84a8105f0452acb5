"""Files of weights: named by path and content, read without running code, loaded without leaving a key out.

The setting `weights` of a configuration is `imagenet`, `none`, a file, or `released:` and a file of a
released FMPN checkpoint (platform/models/released_checkpoint.py). The setting holds a file as
`/its/absolute/path@sha256:<64 hexadecimal digits>`. The digits name the content and are part of a fold run's
identity; every reader compares them, so a file that has changed since the run was planned is an error. All
nodes find the file under the path.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.errors import UserError
from platform.files.opening import read_bytes

if TYPE_CHECKING:
    from torch import Tensor, nn

NAMED_WEIGHTS = ("imagenet", "none")
"""Values of the setting `weights` that are no file."""
RELEASED = "released:"
"""Begins a value that names a released checkpoint of all three nets, not a file of the backbone alone."""

LARGEST_BYTES = 16 * 2**30
"""Of a file of weights."""

_PINNED = re.compile(r"(?P<released>released:)?(?P<path>.+)@sha256:(?P<sha256>[0-9a-f]{64})", re.DOTALL)
_SHOWN_KEYS = 3


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """A file of weights, by place and by content."""

    path: Path
    sha256: str
    """64 hexadecimal digits."""
    is_released: bool = False
    """Whether it stands for the three files of a released checkpoint, and the digits for all of them."""


def is_pinned(weights: str) -> bool:
    """Whether the setting names a file together with its SHA-256."""
    return _PINNED.fullmatch(weights) is not None


def is_released(weights: str) -> bool:
    """Whether the setting names a released checkpoint."""
    return weights.startswith(RELEASED)


def weights_file(weights: str) -> WeightsFile | None:
    """The file of a pinned setting; None for `imagenet` and `none`. ValueError for a bare path."""
    match = _PINNED.fullmatch(weights)
    if match is not None:
        return WeightsFile(
            path=Path(match["path"]), sha256=match["sha256"], is_released=match["released"] is not None
        )
    if weights not in NAMED_WEIGHTS:
        raise ValueError(f"weights must be pinned by their SHA-256 before they are read, but got {weights!r}")
    return None


def pin_weights(weights: str) -> str:
    """The setting with a bare path made absolute and given the SHA-256 of what lies there now.

    UserError where there is no such file.
    """
    if weights in NAMED_WEIGHTS or is_pinned(weights):
        return weights
    path = Path(weights).expanduser().absolute()
    if not weights or not path.is_file():
        nearest = difflib.get_close_matches(weights, NAMED_WEIGHTS, n=1)
        hint = f"did you mean {nearest[0]}? Otherwise " if nearest else ""
        raise UserError(
            f"weights must be {', '.join(NAMED_WEIGHTS)} or a file, but there is no file {weights!r}; "
            f"{hint}give the path of a safetensors or torch file."
        )
    return f"{path}@sha256:{sha256_of(file_content(path))}"


def by_content(config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a configuration with a file of weights named by its content alone: `sha256:<digits>`.

    For a fold run's identity: the same weights in another place are the same run.
    """
    file = weights_file(config.get("weights", "none"))
    if file is None:
        return dict(config)
    return {**config, "weights": f"{RELEASED if file.is_released else ''}sha256:{file.sha256}"}


def sha256_of(content: bytes) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def read_weights(file: WeightsFile) -> dict[str, Tensor]:
    """The tensors of a pinned file of one net. UserError when it has changed since it was pinned."""
    if file.is_released:
        raise ValueError(f"{file.path} belongs to a checkpoint of three nets; read it with read_released")
    content = file_content(file.path)
    check_unchanged(file, sha256_of(content))
    return state_from(content, file.path)


def check_unchanged(file: WeightsFile, found: str) -> None:
    """UserError unless the SHA-256 `found` now is the one that the file was pinned with."""
    if found != file.sha256:
        raise UserError(
            f"{file.path} has changed since this run was planned (SHA-256 {found[:12]}... instead of "
            f"{file.sha256[:12]}...); put the old file back, or plan anew with the new one."
        )


def state_from(content: bytes, path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors or torch file's `content`, by name; never runs code of the file.

    UserError, which names `path`, for anything but a dictionary of names to tensors.
    """
    import torch
    from safetensors.torch import load

    try:
        # A safetensors file is the length of its JSON header in eight bytes, then the header.
        if content[8:9] == b"{":
            state = load(content)
        else:
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can raise nearly anything
        raise UserError(
            f"{path} is not a safetensors file, nor a torch file of tensors alone ({type(error).__name__}); "
            "save the net's state_dict() in one of these forms."
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        held = type(state).__name__
        if isinstance(state, dict):
            others = [str(key) for key, value in state.items() if not isinstance(value, torch.Tensor)]
            held = f"a dictionary with no tensor under {_some(others)}"
        raise UserError(f"{path} must hold a dictionary of names to tensors, but holds {held}.")
    broken = [
        str(name)
        for name, value in state.items()
        if value.is_floating_point() and not value.float().isfinite().all()
    ]
    if broken:
        raise UserError(
            f"weights must be finite, but {path} has values that are not under {_some(broken)}; "
            "give a file from before that training diverged."
        )
    return {str(name): value for name, value in state.items()}  # without torch's own attributes


def load_strictly(net: nn.Module, state: Mapping[str, Tensor], source: Path, name: str) -> None:
    """Put every tensor of `state`, which was read from `source`, into `net`; see `require_match`."""
    require_match(net.state_dict(), state, source, name)
    net.load_state_dict(dict(state))


def require_match(
    expected: Mapping[str, Tensor], state: Mapping[str, Tensor], source: Path, name: str
) -> None:
    """One UserError that names all keys of `state` that are missing, unknown or misshapen.

    Only batch norm's counters of batches may be missing: files from before torch 0.4.1 have none,
    and with a fixed momentum nothing reads them. `name` is the net's, for the message.
    """
    problems = mismatches(_shapes(expected), _shapes(state))
    if problems:
        raise UserError(
            f"the weights in {source} do not fit {name}: {'; '.join(problems)}; give weights of that net."
        )


def mismatches(expected: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]) -> list[str]:
    """What differs between two sets of names and shapes, in words; empty where they agree."""
    missing = [name for name in expected if name not in found and not name.endswith("num_batches_tracked")]
    unknown = [name for name in found if name not in expected]
    misshapen = [name for name in expected if name in found and found[name] != expected[name]]
    problems = []
    if missing:
        problems.append(f"{_keys(missing)} missing: {_some(f'{k} {list(expected[k])}' for k in missing)}")
    if unknown:
        problems.append(f"{_keys(unknown)} unknown: {_some(f'{k} {list(found[k])}' for k in unknown)}")
    if misshapen:
        shown = _some(f"{k} {list(found[k])} instead of {list(expected[k])}" for k in misshapen)
        problems.append(f"{_keys(misshapen)} of another shape: {shown}")
    return problems


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def _keys(names: list[str]) -> str:
    return f"{len(names)} key{'' if len(names) == 1 else 's'}"


def _some(items: Iterable[str]) -> str:
    """The first items, and how many more there are."""
    items = list(items)
    more = f" and {len(items) - _SHOWN_KEYS} more" if len(items) > _SHOWN_KEYS else ""
    return ", ".join(items[:_SHOWN_KEYS]) + more


def file_content(path: Path) -> bytes:
    """The file's bytes; UserError when they cannot be read."""
    return read_bytes(
        path,
        largest_bytes=LARGEST_BYTES,
        remedy="check the path of the weights, which every node has to see.",
    )
