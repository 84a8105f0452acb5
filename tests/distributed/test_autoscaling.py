"""A cluster that starts without a worker node grows for a search, and shrinks again after it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from platform.distributed.ray_settings import QUIET, keep_others_out
from tests.distributed.processes import LINUX_ONLY, carrying
from tests.distributed.search_command import PATIENCE_SECONDS, Command

pytestmark = [LINUX_ONLY, pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(1500)]

MARK = "TEST_CLUSTER"
FAKE_CLUSTER: dict[str, Any] = {
    "cluster_name": "fake",
    "max_workers": 2,
    "upscaling_speed": 1.0,
    "idle_timeout_minutes": 0.2,
    "head_node_type": "ray.head.default",
    "available_node_types": {
        "ray.head.default": {"resources": {}, "node_config": {}, "max_workers": 0},
        "worker": {"resources": {"CPU": 1}, "node_config": {}, "min_workers": 0, "max_workers": 2},
    },
    "auth": {}, "docker": {}, "file_mounts": {}, "cluster_synced_files": [],
    "file_mounts_sync_continuously": False, "rsync_exclude": [], "rsync_filter": [],
    "initialization_commands": [], "setup_commands": [], "head_setup_commands": [],
    "worker_setup_commands": [], "head_start_ray_commands": [], "worker_start_ray_commands": [],
}  # fmt: skip
"""Ray's own AutoscalingCluster reads these from a file that the 2.60 wheel lacks, and quotes its resources
wrongly."""
FAKE_PROVIDER = "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider"
"""As an external one: for its own type Ray would look for that file again."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class ScalingCluster:
    """A head whose autoscaler starts raylets on this machine, through Ray's fake node provider."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.address = f"127.0.0.1:{free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        head = "fffffffffffffffffffffffffffffffffffffffffffffffffff00000"
        provider = {
            "type": "external", "module": FAKE_PROVIDER, "use_node_id_as_ip": True,
            "disable_node_updaters": True,
            "disable_launch_config_check": True, "launch_multiple": True, "head_node_id": head,
            "gcs_address": self.address,
        }  # fmt: skip
        file = self._folder / "fake.yaml"
        file.write_text(json.dumps({**FAKE_CLUSTER, "provider": provider}))
        words = [
            str(Path(sys.executable).parent / "ray"), "start", "--head", "--block", "--num-cpus=0",
            "--node-ip-address=127.0.0.1", f"--port={self.address.split(':')[1]}",
            f"--autoscaling-config={file}", "--include-dashboard=false",
            "--object-store-memory=150000000",
        ]  # fmt: skip
        autoscaler = {
            "RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1", "RAY_enable_autoscaler_v2": "1",
            "RAY_CLOUD_INSTANCE_ID": head, "RAY_OVERRIDE_NODE_ID_FOR_TESTING": head,
        }  # fmt: skip
        with (self._folder / "ray_start.log").open("w") as log:
            self._process = subprocess.Popen(
                words, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **QUIET, **autoscaler, MARK: str(self._folder)},
            )  # fmt: skip
        self.wait(lambda: "Ray runtime started" in self.said(), "the head")

    def said(self) -> str:
        return (self._folder / "ray_start.log").read_text()

    def wait(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert self._process is not None
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < deadline, f"waited for {what}"
            time.sleep(0.2)

    def workers(self) -> int:
        """Worker nodes: raylets beside the head's."""
        commands = carrying(MARK, str(self._folder)).values()
        return sum(command.split()[0].endswith("/raylet") for command in commands) - 1

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        for number in carrying(MARK, str(self._folder)):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)


@pytest.fixture
def scaling(tmp_path: Path) -> Iterator[ScalingCluster]:
    keep_others_out()
    folder = tmp_path / "cluster"
    folder.mkdir()
    cluster = ScalingCluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.end()


def test_a_cluster_grows_for_a_search_and_shrinks_after_it(
    command: Callable[[str], Command], quiet_search: Command, scaling: ScalingCluster
) -> None:
    assert scaling.workers() == 0
    search = command("scaled")
    search.start("--address", scaling.address, "--trials-in-flight", "2")
    search.until(lambda: scaling.workers() == 2)
    assert search.wait() == 0, search.err()
    assert search.tables() == quiet_search.tables()
    scaling.wait(lambda: scaling.workers() == 0, "the idle nodes to end")
