"""What is counted of every net, what a training step on the CPU keeps, and the time that counting takes.

    python -m benchmarks.footprint

Costs are counted on the meta device (platform/models/costs/). The measured column sums up every tensor that
autograd keeps, once by its storage, in float32 on the CPU; the difference between a batch of four and one of
two leaves out the weights. Seconds are those of a processor for a plan of all nets with fmpn, without the
imports of torch and torchvision.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from datasets.batches import Batch
from platform.config.configuration import configuration_of, replace, to_dict
from platform.models import load_method
from platform.models.costs.facts import Costs
from platform.models.costs.known import method_costs, stage_costs
from platform.models.fmpn import STAGE_1, FmpnOptions
from platform.models.method import Settings
from platform.models.networks.backbones import BACKBONES

CLASSES = 7
Loss = Callable[[nn.Module, Batch], dict[str, Tensor]]


def kept_mib(net: nn.Module, loss: Loss, size_pixels: int) -> float:
    """MiB that one more image keeps for the backward pass."""
    sizes = []
    for images in (2, 4):
        storages: dict[int, int] = {}
        alive: list[Tensor] = []

        def keep(tensor: Tensor, storages: dict[int, int] = storages, alive: list[Tensor] = alive) -> Tensor:
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # otherwise its address could be reused
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            loss(net, batch(images, size_pixels))
        sizes.append(sum(storages.values()))
    return (sizes[1] - sizes[0]) / 2 / 2**20


def batch(images: int, size_pixels: int) -> Batch:
    """Random faces with random masks."""
    side = (size_pixels, size_pixels)
    return Batch(
        image=torch.rand(images, 3, *side),
        gray=torch.rand(images, 1, *side),
        target_mask=torch.rand(images, 1, *side),
        labels=torch.zeros(images, dtype=torch.int64),
    )


def main() -> None:
    """Print one line per net, and the seconds of counting all of them."""
    torch.manual_seed(0)
    fmpn = to_dict(configuration_of(weights="none"))
    import torchvision.models  # noqa: F401

    started = time.process_time()
    stage1 = Settings(fmpn, STAGE_1.option_names(FmpnOptions))
    stage_costs("fmpn", STAGE_1, stage1, CLASSES)
    for name in BACKBONES:
        method_costs("fmpn", {**fmpn, "backbone": name}, CLASSES)
    seconds = time.process_time() - started
    print(f"{'net':16s} {'million parameters':>18s} {'GFLOP':>8s} {'MiB counted':>12s} {'measured':>9s}")
    counted = stage_costs("fmpn", STAGE_1, stage1, CLASSES)
    generator_loss: Loss = lambda net, faces: STAGE_1.loss(net, faces, stage1)  # noqa: E731
    show("mask generator", counted, STAGE_1.build(stage1, CLASSES), generator_loss, 299)
    cnn, method = configuration_of(method="cnn", weights="none"), load_method("cnn")
    for name in BACKBONES:
        values = to_dict(replace(cnn, backbone=name))
        read = method.settings(values)
        loss: Loss = lambda net, faces, read=read: method.loss(net, faces, read)  # type: ignore[misc] # noqa: E731
        show(name, method_costs("cnn", values, CLASSES), method.build(read, CLASSES), loss, 299)
    print(f"{seconds:.1f} s of a processor to count stage 1 and fmpn with each of {len(BACKBONES)} nets")


def show(name: str, costs: Costs, net: nn.Module, loss: Loss, size_pixels: int) -> None:
    """One line of the table: an image of `size_pixels`."""
    counted, measured = costs.kept_bytes_an_image / 2**20, kept_mib(net.train(), loss, size_pixels)
    print(
        f"{name:16s} {costs.parameters / 1e6:18.1f} {costs.gflop_an_image:8.1f} {counted:12.1f} "
        f"{measured:9.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
