"""Size and speed of a configuration's net: number of parameters and milliseconds per image.

The count is exact. The time is a measurement that varies between machines and runs, so a search that
optimises it cannot be repeated bit for bit.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from platform.config.configuration import Configuration, to_dict
from platform.models.net_method import NetMethod
from platform.models.options.faces import Faces
from platform.models.options.sequences import SequenceFrames
from platform.runs.cost import costs_of

if TYPE_CHECKING:
    import torch
    from torch import nn

    from datasets.batches import Batch
    from datasets.sequence_batches import SequenceBatch

WARM_UP_IMAGES = 5
TIMED_IMAGES = 30


def measures(
    names: Sequence[str],
    configuration: Configuration,
    class_count: int,
    *,
    device: str,
    cpu_threads: int,
) -> dict[str, float]:
    """Values of the requested measures: `latency` (milliseconds), `parameters`. Ignores other names."""
    found: dict[str, float] = {}
    if "parameters" in names:
        found["parameters"] = parameter_count(configuration, class_count)
    if "latency" in names:
        found["latency"] = latency_milliseconds(
            configuration, class_count, device=device, cpu_threads=cpu_threads
        )
    return found


def parameter_count(configuration: Configuration, class_count: int) -> int:
    """Number of parameters, including frozen ones and those of the mask generator. Allocates no memory."""
    return costs_of(configuration, class_count).parameters


def latency_milliseconds(
    configuration: Configuration, class_count: int, *, device: str, cpu_threads: int
) -> float:
    """Median time in milliseconds to score one face (or one sequence of `frames` frames), in a batch of one
    and in float32, as all scoring.

    device: cpu or cuda. The net is untrained, because its weights do not affect the time.
    """
    import torch

    torch.set_num_threads(cpu_threads)
    where = torch.device(device)
    method, built = _built(configuration, class_count)
    module = built.to(where, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    assert isinstance(configuration, Faces)
    face = _one_face(configuration.image_size_pixels, where)
    batch = _one_sequence(face, configuration) if method.unit == "sequence" else face
    times = []
    with torch.inference_mode():
        for _ in range(WARM_UP_IMAGES + TIMED_IMAGES):
            started = time.perf_counter()
            method.scores(module, batch).cpu()  # on a GPU: waits for the result
            times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times[WARM_UP_IMAGES:])


def _built(configuration: Configuration, class_count: int) -> tuple[NetMethod, nn.Module]:
    from platform.models import load_method

    method = load_method(configuration.method)
    assert isinstance(method, NetMethod)  # others are refused while planning
    settings = method.settings({**to_dict(configuration), "weights": "none"})
    return method, method.build(settings, class_count)


def _one_sequence(face: Batch, configuration: Configuration) -> SequenceBatch:
    import torch

    from datasets.sequence_batches import SequenceBatch

    assert isinstance(configuration, SequenceFrames)
    frames = configuration.frames
    return SequenceBatch(
        image=face.image.expand(frames, -1, -1, -1)[None].contiguous(),
        gray=face.gray.expand(frames, -1, -1, -1)[None].contiguous(),
        target_mask=None,
        lengths=torch.full((1,), frames, device=face.image.device),
        labels=face.labels,
    )


def _one_face(size: int, device: torch.device) -> Batch:
    import torch

    from datasets.batches import Batch, channels_last

    return channels_last(
        Batch(
            image=torch.full((1, 3, size, size), 0.5, device=device),
            gray=torch.full((1, 1, size, size), 0.5, device=device),
            target_mask=None,
            labels=torch.zeros(1, dtype=torch.int64, device=device),
        )
    )
