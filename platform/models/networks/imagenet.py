"""torchvision's ImageNet weights: where they lie, checked by the hash in their name, fetched if need be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platform.errors import UserError
from platform.models.networks.weights import file_content, sha256_of, state_from

if TYPE_CHECKING:
    from torch import Tensor


def imagenet_file(weights: str) -> Path:
    """Where torchvision looks for the IMAGENET1K_V1 weights of that enum, e.g. `ResNet18_Weights`."""
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints" / _url(weights).rsplit("/", 1)[-1]


def read_imagenet(weights: str) -> dict[str, Tensor]:
    """The tensors of that file, by name; fetched first where it is not in its place.

    The file's name ends in the first digits of its SHA-256. A file that someone placed there by hand
    is compared with them too, which torchvision does only for what it fetches. UserError when the
    file can be neither read nor fetched, or holds something else.
    """
    path = imagenet_file(weights)
    if not path.exists():
        _fetch(weights, path)
    content = file_content(path)
    digits, found = _hash_digits(path), sha256_of(content)
    if not found.startswith(digits):
        raise UserError(
            f"{path} is damaged or another file: its SHA-256 must begin with {digits}, but begins with "
            f"{found[: len(digits)]}; put torchvision's file there, or pass yours as --weights FILE."
        )
    return state_from(content, path)


def _fetch(weights: str, path: Path) -> None:
    import torch

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # It checks the hash, and moves the whole file to its place only then.
        torch.hub.download_url_to_file(_url(weights), str(path), _hash_digits(path), progress=False)
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"the ImageNet weights {path} are not there and could not be fetched ({type(error).__name__}); "
            f"place the file {path.name} there, or pass --weights FILE or --weights none."
        ) from error


def _url(weights: str) -> str:
    import torchvision.models

    url: str = getattr(torchvision.models, weights).IMAGENET1K_V1.url
    return url


def _hash_digits(path: Path) -> str:
    """`f37072fd` of `resnet18-f37072fd.pth`."""
    return path.stem.rpartition("-")[2]
