"""Memory that training a task takes on a device: measured over a few steps on random images.

The steps are the training loop's own (`Turn`): the net, its losses, gradients and optimizer, at the task's
size, batch and precision. What CUDA itself takes is added.
"""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING, Any

from platform.models import load_method
from platform.models.net_method import NetMethod
from platform.models.shared_stage import SharedStage
from platform.runs.artifacts import artifact_settings
from platform.runs.tasks import ArtifactTask, FoldTask

if TYPE_CHECKING:
    import torch
    from torch import nn

    from datasets.batches import Batch
    from platform.training.stage_settings import Training

STEPS = 3
"""The optimizer's moments exist after the first; cuDNN's workspaces do not grow after the second."""
CUDA_BYTES = 700 * 2**20
"""Context, kernels and libraries of a process on a GPU, beside torch's own allocations: 450 to 600 MiB by
experience with CUDA 12 and 13; not measured here."""
BYTES_A_PIXEL = 4
"""Of a face on the device: colours and gray, uint8."""


def can_be_measured(task: FoldTask | ArtifactTask) -> bool:
    """Whether the task trains a net by the training loop, on single faces."""
    if isinstance(task, ArtifactTask):
        stage = task.artifact
        own = not isinstance(stage, SharedStage) or type(stage).items is not SharedStage.items
        return not own and stage.unit == "image"
    method = load_method(task.record["method"])
    own = not isinstance(method, NetMethod) or type(method).items is not NetMethod.items
    return not own and method.unit == "image"


def face_bytes(task: FoldTask | ArtifactTask) -> int:
    """Bytes of the task's training faces, which lie on the device beside what the net takes."""
    pixels: int = task.record["config"].get("load_size_pixels", 0) ** 2
    return BYTES_A_PIXEL * pixels * task.training_images


def measured_peak_bytes(task: FoldTask | ArtifactTask, device: str, steps: int = STEPS) -> int | None:
    """Peak bytes of a process that trains the task, without its faces; None: it does not fit.

    device: `cuda`, or `cpu`, where it is the process's own peak. The task is one that `can_be_measured`.
    """
    import torch

    from platform.training.health import is_out_of_memory

    where = torch.device(device)
    if where.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(where)
    try:
        _train(task, where, steps)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
    if where.type == "cuda":
        return int(torch.cuda.max_memory_reserved(where)) + CUDA_BYTES
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _train(task: FoldTask | ArtifactTask, where: torch.device, steps: int) -> None:
    import torch

    from platform.training.precision import products_in
    from platform.training.step import Turn
    from platform.training.workers import ALONE

    torch.set_num_threads(task.record["cpu_threads"])
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    module, players_of, training, size = _stage(task)
    module = module.to(where, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    players = players_of(module)
    turns = [Turn(player, training, ALONE, only=len(players) == 1) for player in players]
    batch = _random_batch(training.batch_size, size, len(task.data.class_names), where)
    with products_in(training.precision):
        for _ in range(steps):
            for turn in turns:
                turn(module, batch, len(batch))


def _stage(task: FoldTask | ArtifactTask) -> tuple[nn.Module, Any, Training, int]:
    """The stage's module on the CPU, what makes its players from it, its training and its image size."""
    from platform.training.last_stage import last_stage_training
    from platform.training.stage_settings import shared_training

    classes = len(task.data.class_names)
    if isinstance(task, ArtifactTask):
        stage = task.artifact
        assert isinstance(stage, SharedStage)
        settings = artifact_settings(task)
        training = shared_training(
            settings, stage.name, constant_epochs=1, decay_epochs=0, batch_size=task.batch_size
        )

        module = stage.build(settings, classes)
        return module, lambda net: stage.players(net, settings), training, settings.image_size_pixels
    method = load_method(task.record["method"])
    assert isinstance(method, NetMethod)
    chosen = method.settings(task.record["config"])
    module = method.build(chosen.with_values(**method.not_loaded(chosen)), classes)
    training = last_stage_training(chosen, method.last_stage, 1)
    return module, lambda net: method.players(net, chosen), training, chosen.image_size_pixels


def _random_batch(images: int, size: int, classes: int, where: torch.device) -> Batch:
    import torch

    from datasets.batches import Batch, channels_last

    return channels_last(
        Batch(
            image=torch.rand(images, 3, size, size, device=where),
            gray=torch.rand(images, 1, size, size, device=where),
            target_mask=torch.rand(images, 1, size, size, device=where),
            labels=torch.arange(images, device=where) % classes,
        )
    )
