"""Hosts with a launcher whose cluster file describes them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cluster_hosts.cluster_file import cluster_file
from benchmarks.cluster_hosts.hosts import ROOT, Hosts, running_hosts
from benchmarks.cluster_hosts.launcher import Launcher, make_home


@contextmanager
def running_cluster(folder: Path, workers: int) -> Iterator[tuple[Hosts, Launcher]]:
    """Context with a head and `workers` hosts of one CPU each, ready for `Launcher.up`."""
    subprocess.run(["make", "-s", "cluster-source"], cwd=ROOT, check=True)
    home = folder / "launcher" / "home"
    with running_hosts(folder, workers, make_home(home)) as hosts:
        path = cluster_file(hosts, home / ".ssh" / "id", folder / "ray_cluster.yaml", cpus=1)
        yield hosts, Launcher(home=home, cluster=path)
