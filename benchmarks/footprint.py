"""Parameters of the nets, and the memory that a training image keeps for the backward pass.

    python -m benchmarks.footprint

Its numbers stand in platform/models/networks/backbones.py and platform/runs/footprint.py. Every tensor
that autograd keeps is counted once by its storage; the difference between a batch of four and one of two
leaves out the weights. Float32 on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from platform.config.configuration import configuration_of, to_dict
from platform.models import load_method
from platform.models.networks.backbones import BACKBONES
from platform.models.networks.mask_generator import MaskGenerator


def kept_mib(net: nn.Module, images: Callable[[int], Tensor]) -> float:
    """MiB that one more image keeps for the backward pass."""
    sizes = []
    for count in (2, 4):
        storages: dict[int, int] = {}
        alive: list[Tensor] = []

        def keep(tensor: Tensor, storages: dict[int, int] = storages, alive: list[Tensor] = alive) -> Tensor:
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # otherwise its address could be reused
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            net(images(count))
        sizes.append(sum(storages.values()))
    return (sizes[1] - sizes[0]) / 2 / 2**20


def million_parameters(net: nn.Module) -> float:
    """Trained parameters of a net, in millions."""
    return sum(parameter.numel() for parameter in net.parameters()) / 1e6


def main() -> None:
    """Print one line per net."""
    torch.manual_seed(0)
    print(f"{'net':16s} {'pixels':>6s} {'million parameters':>20s} {'MiB per image':>14s}")
    generator = MaskGenerator(64, gain=0.02).train()
    show("mask generator", 299, generator, lambda count: torch.rand(count, 1, 299, 299))
    from platform.models.networks.classifier import Classifier

    method = load_method("cnn")
    for name in BACKBONES:
        size = BACKBONES[name].reference_size_pixels
        settings = configuration_of(method="cnn", backbone=name, weights="none", image_size_pixels=size)
        net = Classifier(method.settings(to_dict(settings)), 7).train()
        show(name, size, net, lambda count, size=size: torch.rand(count, 3, size, size))  # type: ignore[misc]


def show(name: str, size: int, net: nn.Module, images: Callable[[int], Tensor]) -> None:
    """One line of the table."""
    print(f"{name:16s} {size:6d} {million_parameters(net):20.1f} {kept_mib(net, images):14.1f}", flush=True)


if __name__ == "__main__":
    main()
