"""Whether this device trains faster in bfloat16: a measurement of a few seconds on layers as nets have them.

A whole training step at the paper's size takes a minute on a CPU, so two convolutions stand for the nets, of
the sizes that a generator and Inception have at 299 px; convolutions and their gradients are nearly all of
the arithmetic of either.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch
from torch import nn

from platform.host.processor import processor_name
from platform.training.precision import autocast, products_in
from platform.training.stage_settings import Precision

REPEATS = 5
"""Steps of each layer, of which the fastest counts."""
HOPELESS = 5.0
"""Steps that take so many times as long as in float32 are not repeated: without instructions for bfloat16 a
processor may take ten times as long."""


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Seconds of the same training steps in either precision."""

    device: str
    """Model of the processor or GPU."""
    fp32_seconds: float
    bf16_seconds: float

    @property
    def ratio(self) -> float:
        """How many times as fast bf16 is."""
        return self.fp32_seconds / self.bf16_seconds


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A convolution and the images that it sees."""

    channels: int
    kernel: tuple[int, int]
    size_pixels: int
    images: int


LAYERS = {
    "cpu": (
        Layer(channels=64, kernel=(3, 3), size_pixels=75, images=2),
        Layer(channels=192, kernel=(1, 7), size_pixels=17, images=4),
    ),
    "cuda": (
        Layer(channels=256, kernel=(3, 3), size_pixels=75, images=32),
        Layer(channels=192, kernel=(1, 7), size_pixels=17, images=256),
    ),
}


def measure_speed(device: str, cpu_threads: int, layers: tuple[Layer, ...] | None = None) -> Speed:
    """Time forward and backward passes of `layers` (None: those of the device) in both precisions.

    device: cpu or cuda. cpu_threads: those of a fold run; the process keeps the number that it had.
    """
    where = torch.device(device)
    before = torch.get_num_threads()
    torch.set_num_threads(cpu_threads)
    try:
        chosen = layers or LAYERS[device]
        fp32 = [_fastest(layer, where, "fp32") for layer in chosen]
        bf16 = [
            _fastest(layer, where, "bf16", HOPELESS * known)
            for layer, known in zip(chosen, fp32, strict=True)
        ]
    finally:
        torch.set_num_threads(before)
    name = processor_name() if device == "cpu" else torch.cuda.get_device_name(where)
    return Speed(device=name, fp32_seconds=sum(fp32), bf16_seconds=sum(bf16))


def _fastest(layer: Layer, where: torch.device, precision: Precision, hopeless: float = math.inf) -> float:
    """Seconds of the layer's fastest training step; of the second one if it takes more than `hopeless`."""
    high, wide = layer.kernel
    module = nn.Conv2d(layer.channels, layer.channels, layer.kernel, padding=(high // 2, wide // 2))
    module = module.to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
    images = torch.rand(layer.images, layer.channels, layer.size_pixels, layer.size_pixels, device=where)
    images = images.contiguous(memory_format=torch.channels_last).requires_grad_()
    seconds = []
    with products_in(precision):
        for number in range(1 + REPEATS):  # the first one prepares kernels
            _wait(where)
            started = time.perf_counter()
            with autocast(where, precision):
                loss = module(images).float().mean()
            loss.backward()
            _wait(where)
            seconds.append(time.perf_counter() - started)
            if number and seconds[-1] > hopeless:
                break
    return min(seconds[1:])


def _wait(where: torch.device) -> None:
    if where.type == "cuda":
        torch.cuda.synchronize(where)
