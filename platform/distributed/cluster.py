"""Connecting to Ray: a cluster of our own on this machine, or one that is already there."""

from __future__ import annotations

import dataclasses
import logging
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform.config.configuration import Plan
from platform.distributed.ray_start import sigterm_stays_ours, start_ray
from platform.distributed.ray_watch import end_lost_cluster, lost, own_node, watched
from platform.errors import UserError
from platform.host.machine_limits import usable_cpus
from platform.host.native_output import native_output_to
from platform.host.ray_paths import REPOSITORY, python_for_shells, ray_folder
from platform.host.sigterm import terminable

TRIAL_SLOT = "trial_slot"
"""Custom resource of the head node that trials hold, so that they hold no CPU while they wait."""
TRIAL_SLOTS = 100

QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # Tune's own handler stays after a search and would swallow the first Ctrl-C of the final folds.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    # How long a task's first worker waits for the runtime environment's agent on a busy machine. It does
    # not govern the 15 s that a starting raylet waits for its agents' ports (ray_start.py).
    "RAY_agent_register_timeout_ms": "100000",
}
"""Ray's output is replaced by ours, and nothing calls home. `setdefault`: the user's own values win."""


WORKERS_ENVIRONMENT = {"PYTHONPATH": str(REPOSITORY), "NO_ALBUMENTATIONS_UPDATE": "1"}
"""With these Ray's workers find our packages. On a cluster of our own they inherit them: a `runtime_env`
starts the interpreter through an unquoted shell, and none starts from a folder with a space in its path."""


@dataclass(frozen=True, kw_only=True)
class Slots:
    """What the cluster offers to fold runs."""

    cpus: float
    gpus: float
    fold_runs: int | None
    """Fold runs at once; None where the cluster grows by demand, and all of them are asked for."""
    held_back: int = 0
    """Further fold runs that the CPUs would allow, and the memory does not."""

    def describe(self) -> str:
        """For the plan shown to the user."""
        count = "as many as the cluster grows to" if self.fold_runs is None else str(self.fold_runs)
        fewer = f" ({self.held_back} more would not fit into the memory)" if self.held_back else ""
        return f"{self.cpus:g} CPUs, {self.gpus:g} GPUs; {count} fold runs at once{fewer}"


def local_slots(plan: Plan, runs_in_memory: int | None = None) -> Slots:
    """What a cluster of our own on this machine would offer. UserError: one fold run needs more.

    `runs_in_memory`: fold runs that the machine's memory holds at once, if that is known.
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
            f"a fold run may use at most the {cpus:g} CPUs there are, but cpus_per_run is "
            f"{plan.cpus_per_run}{each}; pass {remedy}."
        )
    if plan.gpus_per_run * workers > gpus:
        raise UserError(
            f"a fold run may use at most the {gpus:g} GPUs there are, but gpus_per_run is "
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
    """Ray, connected for the length of the block; Ray's own messages go to `log_file`.

    Without `address` a cluster is started on this machine, listens on its loopback interface only,
    takes a token made for this run, and ends with this process, even a killed one (then within 2 s;
    Ray's two idle agents wait 60 s for a control store that is gone, and follow). With one (`auto`,
    `ray://...`), the head must offer the resource `trial_slot`, as ray_cluster.yaml does.
    `runs_in_memory`: as for `local_slots`. In the block SIGTERM raises Terminated (in the main thread).
    UserError: a cluster of our own lost its control store or its node manager.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if address is None:
        _keep_others_out()
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
            with _environment(WORKERS_ENVIRONMENT):
                _start(slots, common, sigterm.take)
        else:
            common["runtime_env"] = {"env_vars": WORKERS_ENVIRONMENT}
            slots = _connect(ray, address, common, sigterm.take)
        try:
            with watched(sigterm.interrupt):
                yield slots
        except Exception as error:
            gone = lost(own_node())  # the first to notice may be who waited for an answer
            if gone is not None:
                raise gone from error
            raise
        finally:
            if lost(own_node()) is None:
                ray.shutdown()
            else:
                end_lost_cluster()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets these environment variables for the length of the block; processes started in it keep them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _keep_others_out() -> None:
    """Settings of a cluster of our own, made before Ray reads them: a token, and loopback only.

    Whoever reaches a port of Ray's can run code as this user. The token lives in the environment of
    our processes: without it Ray would write one to ~/.ray.
    """
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    # Ray listens on 127.0.0.1 where it supports no clusters, and only there: `_node_ip_address="127.0.0.1"`
    # is quietly replaced by the machine's address (services.resolve_ip_for_localhost in 2.60).
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    from ray._private import ray_constants

    ray_constants.ENABLE_RAY_CLUSTER = False


def _start(slots: Slots, common: dict[str, Any], take_sigterm: Callable[[], None]) -> None:
    start_ray(
        {
            "address": "local",
            "num_cpus": int(slots.cpus),
            "num_gpus": int(slots.gpus),
            "resources": {TRIAL_SLOT: TRIAL_SLOTS},
            "include_dashboard": False,
            **common,
        },
        take_sigterm,
    )


def _connect(ray: Any, address: str, common: dict[str, Any], take_sigterm: Callable[[], None]) -> Slots:
    try:
        with sigterm_stays_ours(take_sigterm):
            ray.init(address=address, **common)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UserError(
            f"no Ray cluster answers at {address!r} ({str(error).splitlines()[0]}); start one with "
            f"`ray up ray_cluster.yaml`, or leave out --address to use this machine."
        ) from error
    resources = ray.cluster_resources()
    if TRIAL_SLOT not in resources:
        ray.shutdown()
        raise UserError(
            f"the cluster's head node must offer the resource {TRIAL_SLOT}, but it offers "
            f"{', '.join(sorted(resources))}; see available_node_types.head.resources in ray_cluster.yaml."
        )
    return Slots(cpus=resources.get("CPU", 0), gpus=resources.get("GPU", 0), fold_runs=None)


class _LogFile(logging.FileHandler):
    """A file of messages that is never worth an error: on a full disk the next messages are lost."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: logging would print a traceback for every message."""


def _log_told(data: Mapping[str, Any], *_: object, **__: object) -> None:
    """Stands in for Ray's `print_to_stdstream`: lines of another process, to the log."""
    for line in data.get("lines", ()):
        logging.getLogger("ray").error("(%s) %s", data.get("pid"), line)


def log_to(log_file: Path) -> None:
    """Send the messages of Ray, Optuna and our own loggers to a file instead of the screen."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    handler = _LogFile(log_file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    for name in ("platform", "ray", "ray.tune", "ray.train", "ray.air", "optuna", "py.warnings"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
    # Ray prints what its processes tell the driver, "(raylet) ...", past its loggers.
    from ray._private import worker

    vars(worker)["print_to_stdstream"] = _log_told
    logging.captureWarnings(not sys.warnoptions)
