"""Floating-point precision of training: TF32 and bfloat16 only where asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from platform.training.stage_settings import Precision


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Context in which float32 convolutions and matrix products on a GPU use TF32 only if `precision` is
    `tf32`. By default PyTorch uses TF32 for convolutions."""
    matmul, convolution = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, convolution.allow_tf32
    matmul.allow_tf32 = convolution.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        matmul.allow_tf32, convolution.allow_tf32 = before


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """The autocast context of `precision`."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
