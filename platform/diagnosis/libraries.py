"""What the libraries say of themselves and of this machine; gathered in a process of its own.

Importing them takes seconds and memory, and a broken one may end the process.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

MODULES = (
    "numpy", "PIL.Image", "cv2", "yaml", "pyarrow.parquet", "safetensors", "scipy", "optuna", "torch",
    "torchvision", "ray",
)  # fmt: skip
"""Imported by every run or by preparing a data set; what these need comes with them."""


def library_facts() -> dict[str, Any]:
    """`failures` (module to reason), and of those that can be imported `torch`, `imagenet` and `detector`.

    torch: `version`, `build` (of CUDA or ROCm, or None), `gpus` (`name`, `total`, `free` bytes), `bf16`
    (whether each GPU computes in bfloat16). imagenet and detector: `folder`, `found` and `missing` weights.
    """
    failures = {}
    for name in MODULES:
        try:
            importlib.import_module(name)
        except BaseException as error:  # a broken extension raises anything
            failures[name] = _reason(error)
    facts: dict[str, Any] = {"failures": failures}
    for key, ask in (("torch", _torch_facts), ("imagenet", _imagenet), ("detector", _detector)):
        try:
            facts[key] = ask()
        except Exception as error:
            facts[key] = {"failure": _reason(error)}
    return facts


def _reason(error: BaseException) -> str:
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _torch_facts() -> dict[str, Any]:
    import torch

    gpus, bf16 = [], []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(index)
            gpus.append({"name": torch.cuda.get_device_name(index), "total": total, "free": free})
            # NVIDIA's from Ampere on; torch emulates it on older ones, slower than float32.
            bf16.append(torch.version.hip is not None or torch.cuda.get_device_capability(index) >= (8, 0))
    build = torch.version.cuda or torch.version.hip
    return {"version": torch.__version__, "build": build, "gpus": gpus, "bf16": bf16}


def _imagenet() -> dict[str, Any]:
    from platform.models.networks.backbones import BACKBONES
    from platform.models.networks.imagenet import imagenet_file

    files = {name: imagenet_file(one.weights) for name, one in BACKBONES.items()}
    return _found_and_missing(files)


def _detector() -> dict[str, Any]:
    """Weights of the default detector and of the points; the library's import is the slowest of all."""
    from face_alignment import utils

    from datasets.alignment.face_alignment_detector import weight_files

    folder = Path(utils.get_dir()) / "checkpoints"
    return _found_and_missing({name: folder / name for _, name in weight_files("sfd")})


def _found_and_missing(files: dict[str, Path]) -> dict[str, Any]:
    found = [name for name, path in files.items() if path.is_file() and os.path.getsize(path)]
    (folder,) = {path.parent for path in files.values()}
    missing = {name: path.name for name, path in files.items() if name not in found}
    return {"folder": str(folder), "found": found, "missing": missing}
