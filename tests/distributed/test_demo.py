"""The demo with fewer runs, watched from start to end: nothing listens beyond this machine."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.distributed.processes import LINUX_ONLY, LOOPBACK, carrying, descendants, listening_sockets
from tests.distributed.token_traces import assert_nowhere, session_of

PORTS = {"metrics_agent", "metrics_export", "runtime_env_agent", "dashboard_agent_listen"}
"""Of the ports that Ray's processes write into the session's folder: those of every session."""
PARTS = ("gcs_server", "raylet/raylet", "ray::DashboardAgent", "ray::RayDispatcher", "ray::carry_out")
NOT_LISTENING = -1
"""The port of an agent that found its usual one taken, by another Ray of the machine."""

pytestmark = [LINUX_ONLY, pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(1800)]


def written_ports(session: Path) -> dict[str, int]:
    """Name to port of what this session's processes have written so far."""
    found = {}
    for path in session.glob("*_port_*"):
        with suppress(ValueError):  # it is being written
            found[path.name.split("_port")[0]] = int(path.read_text())
    return found


def test_nothing_listens_beyond_this_machine_while_the_demo_runs(root: Path, tmp_path: Path) -> None:
    """Every socket of every process that the command started, also of those that left its process tree."""
    token = secrets.token_hex(32)
    folders = ["--runs", str(tmp_path / "runs"), "--data-root", str(tmp_path / "data")]
    # Its phases all the same: data, search, final folds, table.
    fewer = ["--folds", "2", "--trials", "1", "--baselines", "", "--transfer-to", "none"]
    demo = [str(root / "fer"), "tune", "--dataset", "synthetic", "--preset", "smoke", *fewer, *folders]
    commands: set[str] = set()
    sockets: set[tuple[str, int]] = set()
    ports: dict[str, int] = {}
    looks = 0
    with (tmp_path / "out.txt").open("w") as out, (tmp_path / "err.txt").open("w") as err:
        process = subprocess.Popen(
            demo, env={**os.environ, "RAY_AUTH_TOKEN": token}, cwd=tmp_path, stdout=out, stderr=err
        )
        while process.poll() is None:
            # A process that gives itself another title writes over its environment; one that a dead process
            # started is nobody's descendant.
            started = {**carrying("RAY_AUTH_TOKEN", token), **descendants(process.pid)}
            commands |= set(started.values())
            sockets |= listening_sockets(set(started))
            if any("session_" in command for command in commands):
                ports |= written_ports(session_of(commands))
            looks += 1
            time.sleep(0.05)
    assert process.returncode == 0, (tmp_path / "err.txt").read_text()
    assert looks > 50
    for part in PARTS:
        assert any(part in command for command in commands), f"{part} was never seen"
    assert {address for address, _ in sockets} <= LOOPBACK, sorted(sockets)
    assert set(ports) >= PORTS
    seen = {port for _, port in sockets}
    assert {name for name, port in ports.items() if port not in seen | {NOT_LISTENING}} == set()
    assert_nowhere(token, commands, tmp_path)
