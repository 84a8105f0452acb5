"""A lost process of Ray's ends a command in one sentence of ours, not in Ray's lines and status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from platform.distributed.ray_watch import OwnCluster, cluster_lost, lost, watched
from platform.errors import ClusterLost
from platform.host.sigterm import terminable
from tests.distributed.processes import LINUX_ONLY, descendants


def node_of(**statuses: int | None) -> SimpleNamespace:
    """A node whose processes have ended with these statuses, or run (None)."""
    return SimpleNamespace(
        all_processes={
            name: [SimpleNamespace(process=SimpleNamespace(poll=lambda status=status: status))]
            for name, status in statuses.items()
        }
    )


def test_the_sentence_says_which_process_ended_how_and_how_to_go_on() -> None:
    assert "control store (gcs_server) was killed by SIGKILL, which" in str(cluster_lost("gcs_server", -9))
    assert "node manager (raylet) ended with status 1, which" in str(cluster_lost("raylet", 1))
    assert str(cluster_lost("raylet", 1)).endswith("are stored: run the same command again to continue.")


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (None, None),
        (SimpleNamespace(), None),
        (node_of(gcs_server=None, raylet=None), None),
        (node_of(gcs_server=None, raylet=0), "raylet"),
        (node_of(gcs_server=-9, raylet=-9), "gcs_server"),
    ],
)
def test_the_first_process_that_has_ended_is_named(node: SimpleNamespace | None, said: str | None) -> None:
    found = lost(node)
    assert found is None if said is None else said in str(found)


def test_the_loss_interrupts_the_work_of_the_main_thread() -> None:
    # Given, and not put in the place of Ray's own: the cluster of other tests is watched too.
    watch = OwnCluster(lambda: node_of(gcs_server=-9), period_seconds=0.01)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(ClusterLost, match="gcs_server"), terminable() as sigterm:  # noqa: SIM117
            with watched(sigterm.interrupt, watch):
                threading.Event().wait()
    finally:
        signal.signal(signal.SIGTERM, before)


START = """
import sys
from pathlib import Path
from platform.cli.parser import run
from platform.config.configuration import Plan
from platform.distributed.cluster import connected

def main(argv):
    with connected(Plan(), Path("ray.log")):
        import ray

        @ray.remote
        def endless():
            import time
            time.sleep(600)

        print("up", flush=True)
        ray.get(endless.remote())

run(main)
"""


@LINUX_ONLY
@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("victim", "said"),
    [("gcs_server", "gcs_server"), ("raylet", "raylet"), ("ray::DashboardAgent", "raylet")],
)
def test_a_killed_process_of_rays_ends_a_command_in_our_sentence(
    root: Path, tmp_path: Path, victim: str, said: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        (found,) = (n for n, text in descendants(process.pid).items() if text.split()[0].endswith(victim))
        os.kill(found, signal.SIGKILL)
        out, error = process.communicate(timeout=200)
    assert (process.returncode, out) == (2, "")
    assert error.startswith("error: Ray's ")
    assert said in error
    assert error.count("\n") == 1, "nothing of Ray's"
