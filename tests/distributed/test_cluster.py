"""Our own cluster: closed to others, quiet, and checked against what the machine has."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan
from platform.distributed.cluster import local_slots
from platform.distributed.ray_watch import own_node
from platform.errors import Terminated, UserError
from platform.host.machine_limits import usable_cpus
from platform.host.ray_sessions import MARK
from platform.host.sigterm import terminable
from tests.distributed.processes import LINUX_ONLY, LOOPBACK, descendants, listening_sockets

ASK = """
import sys, ray
try:
    ray.init(address=sys.argv[1], logging_level="CRITICAL", log_to_driver=False)
except Exception as error:
    sys.exit(f"refused: {type(error).__name__}")
"""


def processors() -> int:
    return usable_cpus()


def test_fold_runs_at_once_are_what_their_cpus_allow() -> None:
    assert local_slots(Plan()).fold_runs == processors()
    assert local_slots(Plan(cpus_per_run=processors())).fold_runs == 1


def test_a_fold_run_that_needs_more_than_the_machine_has_is_refused() -> None:
    wanted = processors() + 1
    with pytest.raises(UserError, match=rf"cpus_per_run is {wanted}; pass --cpus-per-run {processors()}"):
        local_slots(Plan(cpus_per_run=wanted))
    with pytest.raises(UserError, match=r"gpus_per_run is 4096; pass a smaller --gpus-per-run"):
        local_slots(Plan(gpus_per_run=4096.0))


@pytest.mark.parametrize(("room", "held_back"), [(None, 0), (1, processors() - 1), (10_000, 0)])
def test_the_memory_holds_fold_runs_back_and_says_so(room: int | None, held_back: int) -> None:
    slots = local_slots(Plan(), room)
    assert (slots.fold_runs, slots.held_back) == (processors() - held_back, held_back)
    assert (f"({held_back} more would not fit in memory)" in slots.describe()) == bool(held_back)


def end_as_tune_does(*, terminated: bool) -> None:
    """A block in which Tune takes SIGTERM's exception for Ctrl-C; one in which it was Ctrl-C."""
    with terminable() as sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as Ray's C++ part does, in its own way
        sigterm.take()
        if terminated:
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGTERM)
        raise KeyboardInterrupt


@pytest.mark.parametrize(("terminated", "raised"), [(True, Terminated), (False, KeyboardInterrupt)])
def test_sigterm_is_said_even_where_it_was_taken_for_ctrl_c(terminated: bool, raised: type) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(KeyboardInterrupt) as error:
            end_as_tune_does(terminated=terminated)
        assert error.type is raised
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


@LINUX_ONLY
@pytest.mark.ray
@pytest.mark.timeout(300)
def test_nothing_of_the_cluster_listens_beyond_this_machine(cluster: Any) -> None:
    import ray

    @ray.remote
    def a_worker() -> int:
        return os.getpid()

    processes = {os.getpid(): "this", ray.get(a_worker.remote()): "worker", **descendants(os.getpid())}
    for part in ("gcs_server", "raylet/raylet", "ray::DashboardAgent", "ray::RuntimeEnvAgent"):
        assert any(part in command for command in processes.values()), f"{part} is not among the processes"
    sockets = listening_sockets(set(processes))
    assert {address for address, _ in sockets} <= LOOPBACK
    written = Path(own_node().get_session_dir_path()).glob("*_port_*")
    ports = {path.name.split("_port")[0]: int(path.read_text()) for path in written}
    assert {"metrics_agent", "metrics_export", "runtime_env_agent", "dashboard_agent_listen"} <= set(ports)
    (node,) = ray.nodes()
    ports |= {name: node[name] for name in ("NodeManagerPort", "ObjectManagerPort", "MetricsExportPort")}
    # -1: the agent found its usual port taken, by another Ray of this machine, and listens nowhere.
    unseen = {name for name, port in ports.items() if port not in {-1, *(port for _, port in sockets)}}
    assert not unseen, "listens in a process that this test does not see"


@pytest.mark.ray
@pytest.mark.timeout(300)
def test_a_process_without_the_token_is_refused(cluster: Any, tmp_path: Path) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address

    environment = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}
    command = [sys.executable, "-c", ASK, address]
    stranger = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False
    )
    assert "InvalidAuthToken" in stranger.stderr
    assert "refused:" in stranger.stderr
    assert stranger.returncode == 1


@pytest.mark.ray
@pytest.mark.timeout(300)
def test_the_session_carries_our_mark(cluster: Any) -> None:
    session = Path(own_node().get_session_dir_path())
    assert (session / MARK).is_file()


@pytest.mark.ray
def test_messages_of_ray_and_optuna_go_to_the_file(cluster: Any) -> None:
    for name in ("ray", "ray.tune", "ray.train", "optuna", "py.warnings"):
        logger = logging.getLogger(name)
        assert not logger.propagate
        kinds = [type(handler) for handler in logger.handlers]
        assert any(issubclass(kind, logging.FileHandler) for kind in kinds)
        assert logging.StreamHandler not in kinds, "the terminal is ours"
