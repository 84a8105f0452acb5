"""Decision on what fold runs compute: the CPU, a GPU each, or a share of one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from platform.config.configuration import Configuration, Plan, to_dict
from platform.config.presets import with_method
from platform.errors import UserError
from platform.experiments.experiment import Experiment
from platform.experiments.measurements import Measurements
from platform.experiments.place import MeasurementError
from platform.host.gpus import Gpu, GpusThere
from platform.models import load_method
from platform.runs.footprint import gibibytes
from platform.runs.tasks import ArtifactTask, FoldTask

SPARE_SHARE = 0.05
"""Of the measured memory, kept free: fragments of torch's allocator, and scoring."""
MOST_RUNS_A_GPU = 100
"""Ray counts ten-thousandths of a GPU; 1/100 is exact."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """What fold runs compute on."""

    gpus_per_run: float
    there: GpusThere
    """The GPUs, if they were looked for."""
    why: str
    """Why it is this device, as a clause."""
    share_is_open: bool = False
    """Whether more than one fold run may share a GPU, by the memory of one."""


def choose_device(
    asked: float | None,
    stored: float | None,
    look: Callable[[], GpusThere],
    *,
    workers: int,
    trains_net: bool,
    name: str,
    where: str,
) -> Device:
    """The device of an experiment.

    asked: `gpus_per_run` as given; None: `auto`. stored: what the experiment `name` began with. look: finds
    the GPUs of `where`. workers: Train workers of a fold run. UserError: a GPU is needed, and there is none.
    """
    none = GpusThere()
    if asked is not None and not asked:
        return Device(gpus_per_run=0.0, there=none, why="gpus_per_run is 0")
    if asked is None and stored is not None and not stored:
        return Device(gpus_per_run=0.0, there=none, why=f"as {name} began")
    if asked is None and stored is None and not trains_net:
        return Device(gpus_per_run=0.0, there=none, why="no net is trained")
    there = look()
    if not there.gpus and not there.may_grow:
        if asked is not None:
            raise UserError(
                f"gpus_per_run {asked:g} needs a GPU, but {there.why_none}; pass --gpus-per-run 0 to train "
                "on the CPU."
            )
        if stored:
            raise UserError(
                f"{name} began on a GPU, and its results are not mixed with a CPU's, but {there.why_none}; "
                "continue it where there is a GPU, or pass --name with a new name."
            )
        return Device(gpus_per_run=0.0, there=there, why=there.why_none)
    if asked is not None:
        return Device(gpus_per_run=asked, there=there, why="as gpus_per_run says")
    if stored:
        return Device(gpus_per_run=stored, there=there, why=f"as {name} began")
    if workers > len(there.gpus) and workers > 1 and not there.may_grow:
        why = f"{workers} Train workers need a GPU each, but {where} has {there.describe()}"
        return Device(gpus_per_run=0.0, there=there, why=why)
    return Device(gpus_per_run=1.0, there=there, why="auto", share_is_open=workers <= 1)


def trains_a_net(configuration: Configuration, plan: Plan) -> bool:
    """Whether the method, a baseline or an artifact of theirs trains a net, as far as they say."""
    every = [configuration, *(with_method(configuration, name, plan) for name in plan.baselines)]
    for one in every:
        method = load_method(one.method)
        stated = method.costs(method.settings(to_dict(one)), 2)
        if stated is None or stated.parameters > 0:
            return True
        if any(artifact.trains for artifact in method.artifacts(one).values()):
            return True
    return False


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How many fold runs share a GPU."""

    runs: int
    why: str
    """As a clause."""

    @property
    def gpus_per_run(self) -> float:
        """Rounded down to what Ray counts, so that all of them fit."""
        return math.floor(1e4 / self.runs) / 1e4


def choose_sharing(
    task: FoldTask | ArtifactTask, gpus: Sequence[Gpu], measurements: Measurements, *, wanted: int
) -> Sharing:
    """How many fold runs as large as `task` share each GPU: what the memory of all of them allows.

    wanted: fold runs at once that the CPUs allow. UserError: one does not fit in the free memory.
    """
    fit = []
    needed = 0
    for gpu in gpus:
        try:
            peak = measurements.peak_bytes(task, gpu.name)
        except MeasurementError as error:
            return Sharing(runs=1, why=f"one fold run a GPU, because its memory was not measured: {error}")
        refuse_full([gpu], peak, "measured")
        assert peak is not None
        needed = max(needed, peak)
        fit.append(int(gpu.free_bytes // (peak * (1 + SPARE_SHARE))))
    by_cpus = math.ceil(wanted / len(gpus))
    runs = max(1, min(*fit, by_cpus, MOST_RUNS_A_GPU))
    shared = "one fold run a GPU" if runs == 1 else f"{runs} fold runs share a GPU"
    limit = "as many as the CPUs allow" if runs == by_cpus else "as many as fit"
    return Sharing(runs=runs, why=f"{shared}, {limit}: {gibibytes(needed)} a fold run, measured")


def refuse_full(gpus: Sequence[Gpu], needed_bytes: float | None, basis: str) -> None:
    """UserError if a fold run does not fit in the free memory of each GPU.

    needed_bytes: None if training it has just run out of memory there. basis: of that number, in a word.
    """
    for gpu in gpus:
        if needed_bytes is not None and needed_bytes <= gpu.free_bytes:
            continue
        wants = "more" if needed_bytes is None else f"about {gibibytes(needed_bytes)} ({basis})"
        used = gpu.total_bytes - gpu.free_bytes
        raise UserError(
            f"a fold run must fit in the free memory of a GPU, but it needs {wants}, and GPU {gpu.index} "
            f"({gpu.name}) has {gibibytes(gpu.free_bytes)} free of {gibibytes(gpu.total_bytes)}, with "
            f"{gibibytes(used)} in use; end what uses it (nvidia-smi lists it), choose other GPUs with "
            "CUDA_VISIBLE_DEVICES, pass a smaller batch size or --precision bf16, or train on the "
            "CPU with --gpus-per-run 0."
        )


def device_line(device: Device, gpus_per_run: float, sharing: str = "") -> str:
    """The plan's line on the device. sharing: how many fold runs share a GPU, as a clause."""
    if not gpus_per_run:
        return f"device: CPU ({device.why})"
    which = device.there.describe() or "GPUs of the cluster"
    if not sharing:
        each = f"{gpus_per_run:g} GPUs" if gpus_per_run > 1 else "a GPU"
        runs = int(1 / gpus_per_run + 1e-3) if gpus_per_run <= 1 else 1
        shared = f"{runs} fold runs share a GPU" if runs > 1 else f"{each} for each fold run"
        sharing = f"{shared}, {device.why}"
    return f"device: {which}; {sharing}"


def slots_by_cpus(experiment: Experiment, cpus: int) -> int:
    """Fold runs at once that the CPUs allow; at least one."""
    plan = experiment.plan
    return max(1, cpus // (plan.cpus_per_run * max(1, plan.train_workers)))
