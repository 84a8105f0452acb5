"""torchvision's ImageNet weights: read from its cache, downloaded if missing, checked by the hash in their
file name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platform.errors import UserError
from platform.models.networks.weights import file_content, sha256_of, state_from

if TYPE_CHECKING:
    from torch import Tensor


def imagenet_file(weights: str) -> Path:
    """torchvision's cache file for the IMAGENET1K_V1 weights of an enum, e.g. `ResNet18_Weights`."""
    import torch

    return Path(torch.hub.get_dir()) / "checkpoints" / _url(weights).rsplit("/", 1)[-1]


def read_imagenet(weights: str) -> dict[str, Tensor]:
    """The tensors of the cache file, by name; a missing file is downloaded first.

    The file name ends in the first digits of the file's SHA-256. They are compared for files placed by hand
    too, whereas torchvision compares them only for its downloads. Raises UserError if the file can be
    neither read nor downloaded, or has other content.
    """
    path = imagenet_file(weights)
    if not path.exists():
        _fetch(weights, path)
    content = file_content(path)
    digits, found = _hash_digits(path), sha256_of(content)
    if not found.startswith(digits):
        raise UserError(
            f"{path} is damaged or another file: its SHA-256 must begin with {digits}, but begins with "
            f"{found[: len(digits)]}; replace it by torchvision's file, or pass your own as --weights FILE."
        )
    return state_from(content, path)


def _fetch(weights: str, path: Path) -> None:
    import torch

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Moves the file to its final path only after checking the hash.
        torch.hub.download_url_to_file(_url(weights), str(path), _hash_digits(path), progress=False)
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"the ImageNet weights {path} are missing and could not be downloaded ({type(error).__name__}); "
            f"copy {path.name} into that folder, or pass --weights FILE or --weights none."
        ) from error


def _url(weights: str) -> str:
    import torchvision.models

    url: str = getattr(torchvision.models, weights).IMAGENET1K_V1.url
    return url


def _hash_digits(path: Path) -> str:
    """The hash digits in a file name: `f37072fd` for `resnet18-f37072fd.pth`."""
    return path.stem.rpartition("-")[2]
