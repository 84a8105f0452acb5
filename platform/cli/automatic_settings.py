"""Decision of the settings that are `auto` while a command is planned: device, sharing, precision."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.config.automatic import AUTOMATIC
from platform.config.configuration import Configuration, Plan, plan_with
from platform.config.configuration import replace as with_options
from platform.config.settings_file import stored_settings
from platform.host.machine_limits import usable_cpus

if TYPE_CHECKING:
    from platform.experiments.device_choice import Device
    from platform.experiments.experiment import Experiment
    from platform.experiments.measurements import Measurements
    from platform.experiments.place import Place

ASKS_LATER = "a real start asks the cluster; planned here as on the CPU, in fp32"


@dataclass(frozen=True, kw_only=True)
class Decided:
    """An experiment's settings without `auto`."""

    configuration: Configuration
    plan: Plan
    device: Device | None
    """None: a dry run does not ask a cluster."""
    precision_line: str
    measurements: Measurements


@contextmanager
def place_of(arguments: argparse.Namespace) -> Iterator[Place]:
    """Where the command's fold runs will compute. A cluster is connected to once it is asked."""
    from platform.experiments.place import ThisMachine

    if arguments.address is None:
        yield ThisMachine()
        return
    from platform.distributed.cluster_place import cluster_place

    tell = functools.partial(print, flush=True)
    with cluster_place(arguments.address, Path(arguments.runs), tell) as place:
        yield place


def decide(
    configuration: Configuration,
    plan: Plan,
    automatic: frozenset[str],
    *,
    place: Place,
    folder: Path,
    asks: bool = True,
) -> Decided:
    """The settings, with those that are `automatic` decided: as the experiment of that folder began, or by
    what the place has.

    asks: whether the place may be asked; a dry run asks no node of a cluster. A cluster is asked only what
    is still to be decided. UserError: a GPU is needed, and there is none.
    """
    from platform.experiments.device_choice import choose_device, trains_a_net
    from platform.experiments.measurements import Measurements
    from platform.host.gpus import GpusThere

    path = folder / "config.yaml"
    stored = stored_settings(path) if path.exists() else {}
    # As with other settings, a stored value that is none of the setting is refused where they are compared.
    began = {name: stored[name] for name in AUTOMATIC if name in stored and name in automatic}
    measurements = Measurements(place, folder.parent.parent)
    asked = None if "gpus_per_run" in automatic else plan.gpus_per_run
    is_open = automatic - began.keys()
    device = None
    if asks or "gpus_per_run" not in is_open:
        looks = asks and (is_open or not place.is_cluster)
        device = choose_device(
            asked,
            _number(began.get("gpus_per_run")),
            place.gpus if looks else lambda: GpusThere(may_grow=True),
            workers=plan.train_workers,
            trains_net=trains_a_net(configuration, plan),
            name=folder.name,
            where=place.words,
        )
        plan = plan_with(plan, gpus_per_run=device.gpus_per_run)
    configuration, line = _with_precision(
        configuration, plan, "precision" in automatic, began, device, measurements, folder.name
    )
    return Decided(
        configuration=configuration,
        plan=plan,
        device=device,
        precision_line=line,
        measurements=measurements,
    )


def _with_precision(
    configuration: Configuration,
    plan: Plan,
    automatic: bool,
    began: dict[str, Any],
    device: Device | None,
    measurements: Measurements,
    name: str,
) -> tuple[Configuration, str]:
    """The configuration in its precision, and the plan's line on it."""
    from platform.experiments.device_choice import trains_a_net
    from platform.experiments.precision_choice import Precision, choose_precision

    if not automatic or not trains_a_net(configuration, plan):
        return configuration, f"precision: {configuration.precision}"
    if "precision" in began:
        chosen = with_options(configuration, precision=began["precision"])
        return chosen, Precision(name=chosen.precision, why=f"as {name} began").line()
    if device is None or (device.gpus_per_run and not device.there.gpus):
        return configuration, f"precision: {ASKS_LATER}"
    models = [gpu.name for gpu in device.there.gpus] if device.gpus_per_run else []
    found = choose_precision(models, plan.cpus_per_run, measurements)
    return with_options(configuration, precision=found.name), found.line()


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def with_sharing(experiment: Experiment, decided: Decided, *, search: bool) -> Experiment:
    """The experiment with the lines on its device and precision, and, if that is open, with as many fold runs
    on a GPU as its memory allows.

    UserError: a fold run does not fit in the free memory of a GPU.
    """
    from platform.experiments.capacity import largest_task
    from platform.experiments.device_choice import choose_sharing, device_line, refuse_full, slots_by_cpus
    from platform.runs.footprint import footprint

    device = decided.device
    if device is None:
        return replace(experiment, computing=(f"device: {ASKS_LATER}", decided.precision_line))
    sharing = ""
    if device.share_is_open and device.there.gpus:
        cpus = usable_cpus() if experiment.address is None else device.there.cpus
        found = choose_sharing(
            largest_task(experiment, search=search),
            device.there.gpus,
            decided.measurements,
            wanted=slots_by_cpus(experiment, cpus),
        )
        sharing = found.why
        experiment = replace(experiment, plan=plan_with(experiment.plan, gpus_per_run=found.gpus_per_run))
    elif device.gpus_per_run and device.there.gpus and experiment.plan.train_workers <= 1:
        least = footprint(largest_task(experiment, search=search)).least_memory
        refuse_full(device.there.gpus, least, "estimated")
    line = device_line(device, experiment.plan.gpus_per_run, sharing)
    return replace(experiment, computing=(line, decided.precision_line))
