"""Connection to Ray: a private cluster on this machine, or an existing cluster."""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform.config.configuration import Plan
from platform.distributed.connection_probe import Reached, follow, probe
from platform.distributed.joined_watch import JoinedCluster
from platform.distributed.ray_settings import (
    QUIET,
    keep_others_out,
    with_environment,
    workers_environment,
)
from platform.distributed.ray_start import sigterm_stays_ours, start_ray
from platform.distributed.ray_watch import OwnCluster, Watch, end_lost_cluster, own_node, watched
from platform.errors import UserError
from platform.host.machine_limits import usable_cpus
from platform.host.native_output import native_output_to
from platform.host.ray_paths import python_for_shells, ray_folder
from platform.host.ray_sessions import mark_session
from platform.host.sigterm import terminable


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Capacity of the cluster for fold runs."""

    cpus: float
    gpus: float
    fold_runs: int | None
    """Concurrent fold runs; None on an existing cluster, where the dispatcher follows its nodes."""
    held_back: int = 0
    """Further fold runs for which there are CPUs, but not enough memory."""

    def describe(self) -> str:
        """A line for the plan that is shown to the user."""
        count = "as many as its nodes can compute" if self.fold_runs is None else str(self.fold_runs)
        fewer = f" ({self.held_back} more would not fit in memory)" if self.held_back else ""
        return f"{self.cpus:g} CPUs, {self.gpus:g} GPUs; {count} fold runs at once{fewer}"


def local_slots(plan: Plan, runs_in_memory: int | None = None) -> Slots:
    """Capacity of a private cluster on this machine. UserError: a single fold run needs more.

    `runs_in_memory`: number of fold runs that fit in memory at once, if known.
    """
    cpus = float(usable_cpus())
    slots = _slots(plan, cpus, float(_local_gpus()) if plan.gpus_per_run else 0.0)
    held_back = 0 if runs_in_memory is None else max(0, (slots.fold_runs or 0) - runs_in_memory)
    return dataclasses.replace(slots, fold_runs=(slots.fold_runs or 0) - held_back, held_back=held_back)


def _local_gpus() -> int:
    import torch

    return torch.cuda.device_count()


def _slots(plan: Plan, cpus: float, gpus: float) -> Slots:
    workers = max(1, plan.train_workers)
    each = f" for each of {workers} Train workers" if workers > 1 else ""
    if plan.cpus_per_run * workers > cpus:
        fewer = f"--train-workers {int(cpus)} or fewer, with --cpus-per-run 1"
        remedy = fewer if workers > cpus else f"--cpus-per-run {int(cpus // workers)} or fewer"
        raise UserError(
            f"a fold run may use at most the {cpus:g} CPUs of this machine, but cpus_per_run is "
            f"{plan.cpus_per_run}{each}; pass {remedy}."
        )
    if plan.gpus_per_run * workers > gpus:
        raise UserError(
            f"a fold run may use at most the {gpus:g} GPUs of this machine, but gpus_per_run is "
            f"{plan.gpus_per_run:g}{each}; "
            f"pass a smaller --gpus-per-run (0 trains on the CPU)."
        )
    count = int(cpus // (plan.cpus_per_run * workers))
    if plan.gpus_per_run:
        count = min(count, int(gpus / (plan.gpus_per_run * workers) + 1e-9))
    return Slots(cpus=cpus, gpus=gpus, fold_runs=count)


@contextmanager
def connected(
    plan: Plan, log_file: Path, address: str | None = None, runs_in_memory: int | None = None
) -> Iterator[Slots]:
    """Context with a connection to Ray, whose own messages go to `log_file`.

    Without `address`, starts a private cluster on this machine. It listens on the loopback interface only,
    requires a token generated for this run, and ends with this process. If the process is killed, the
    cluster ends within 2 s, except for two idle agents, which wait 60 s for the lost control store. With
    `address` (`auto`, HOST:PORT), joins a cluster of which this machine is a node. `runs_in_memory`: as for
    `local_slots`. In the block, SIGTERM raises Terminated in the main thread.
    UserError: why the cluster cannot be joined (`probe`), or can never run the plan. ClusterLost: the control
    store or the node manager of this machine was lost.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if address is None:
        keep_others_out()
    import ray

    log_to(log_file)
    common: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    with ExitStack() as stack, terminable() as sigterm:
        stack.enter_context(native_output_to(log_file))
        if address is None:
            slots = local_slots(plan, runs_in_memory)
            common["_temp_dir"] = stack.enter_context(ray_folder())
            python = python_for_shells()
            if python is not None:
                common["runtime_env"] = {"py_executable": python}
            with with_environment(workers_environment()):
                _start(slots, common, sigterm.take)
            watch: Watch = OwnCluster()
        else:
            reached = probe(address)
            reached.check(plan)
            common["runtime_env"] = {"env_vars": workers_environment()}
            slots = _connect(ray, reached, common, sigterm.take)
            watch = JoinedCluster(reached)
        try:
            with watched(sigterm.interrupt, watch):
                yield slots
        except Exception as error:
            # The waiting call may notice the loss before the watch thread.
            gone = watch.lost() if isinstance(error, UserError) else watch.conclusion()
            if gone is not None:
                raise gone from error
            raise
        finally:
            if watch.conclusion() is None:
                ray.shutdown()
            else:
                end_lost_cluster()


def _start(slots: Slots, common: dict[str, Any], take_sigterm: Callable[[], None]) -> None:
    start_ray(
        {
            "address": "local",
            "num_cpus": int(slots.cpus),
            "num_gpus": int(slots.gpus),
            "include_dashboard": False,
            **common,
        },
        take_sigterm,
    )
    node = own_node()
    if node is not None:
        mark_session(Path(node.get_session_dir_path()))


def _connect(ray: Any, reached: Reached, common: dict[str, Any], take_sigterm: Callable[[], None]) -> Slots:
    follow(reached)
    try:
        with sigterm_stays_ours(take_sigterm):
            ray.init(address=reached.address, **common)
    except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise UserError(
            f"the Ray cluster at {reached.words} answers, but cannot be connected to "
            f"({' '.join(str(error).split())}); its logs are in its nodes' /tmp/ray/session_latest/logs."
        ) from error
    resources = ray.cluster_resources()
    return Slots(cpus=resources.get("CPU", 0), gpus=resources.get("GPU", 0), fold_runs=None)


class _LogFile(logging.FileHandler):
    """A log file whose errors are ignored: on a full disk, messages are lost."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Do nothing, instead of printing a traceback per message."""


def _log_told(data: Mapping[str, Any], *_: object, **__: object) -> None:
    """Replacement of Ray's `print_to_stdstream` that writes lines of other processes to the log."""
    for line in data.get("lines", ()):
        logging.getLogger("ray").error("(%s) %s", data.get("pid"), line)


def log_to(log_file: Path) -> None:
    """Redirect messages of Ray, Optuna and our own loggers from the screen to a file."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    handler = _LogFile(log_file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    for name in ("platform", "ray", "ray.tune", "ray.train", "ray.air", "optuna", "py.warnings"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
    # Ray prints messages of its processes, "(raylet) ...", without its loggers.
    from ray._private import worker

    vars(worker)["print_to_stdstream"] = _log_told
    logging.captureWarnings(not sys.warnoptions)
