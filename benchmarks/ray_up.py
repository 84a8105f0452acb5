"""`ray up` for real: a cluster of hosts on this machine, a search on it, a host killed in the middle.

    python -m benchmarks.ray_up                      three hosts; ten minutes
    python -m benchmarks.ray_up --by job             submitted with `ray job submit`, not in tmux

Builds the hosts (benchmarks/cluster_hosts), runs `ray up -y` with ray_cluster.local.yaml adapted to them,
submits a search, kills a worker host once half of the results are there, waits for the table, compares it
byte for byte with that of an undisturbed run on one machine, and runs `ray down -y`. Exit status 1: the
table, the study or the set of results differs, or a finished result ran again.

Requires Linux and root (namespaces, mounts), git, make, iproute2, the OpenSSH client, and Debian 12's package
server for what `benchmarks/cluster_hosts/packages.py` lists, which is unpacked into `--folder` and not
installed. Only that folder and `build/cluster-source` are written; everything ends with the command.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.chaos_search import Search, differences, run_quietly
from benchmarks.cluster_hosts.cluster_search import ClusterSearch
from benchmarks.cluster_hosts.hosts import Hosts
from benchmarks.cluster_hosts.namespaces import own_place
from benchmarks.cluster_hosts.running_cluster import running_cluster


def killed_in_the_middle(hosts: Hosts, running: ClusterSearch, wanted: int) -> dict[str, float]:
    """Kill the last host once half of `wanted` results are there; seconds until the others go on."""
    running.wait_for_results(wanted // 2)
    victim = hosts.workers[-1]
    running.wait_until(lambda: bool(victim.find("ray::carry_out")), "a fold run on the host to be killed")
    known = len(running.search.finished())
    struck = time.monotonic()
    victim.kill()
    running.wait_for_results(known + 1)
    return {"host killed after results": known, "next result after (s)": round(time.monotonic() - struck, 1)}


def measured(folder: Path, trials: int, by: str) -> tuple[dict[str, float], dict[str, list[Any]]]:
    """Figures in order, and differences from the undisturbed search."""
    figures: dict[str, float] = {}
    quiet = Search(folder=folder / "quiet", trials=trials)
    with running_cluster(folder, 2) as (hosts, launcher):
        figures["one machine: first result to end (s)"] = round(run_quietly(quiet), 1)
        start = time.monotonic()
        launcher.up()
        figures["ray up (s)"] = round(time.monotonic() - start, 1)
        launcher.wait_for_nodes(len(hosts.all))
        figures["all nodes joined (s)"] = round(time.monotonic() - start, 1)
        search = Search(folder=hosts.share, trials=trials)
        search.copy_data(quiet)
        running = ClusterSearch(search, launcher)
        start = time.monotonic()
        running.submit(by)
        running.wait_for_results(1)
        figures["submitted to first result (s)"] = round(time.monotonic() - start, 1)
        figures |= killed_in_the_middle(hosts, running, len(quiet.finished()))
        running.wait_for_end()
        figures["submitted to table (s)"] = round(time.monotonic() - start, 1)
        found = differences(quiet, search, running.again)
        start = time.monotonic()
        launcher.down()
        figures["ray down (s)"] = round(time.monotonic() - start, 1)
    return figures, found


def main() -> int:
    """Run the benchmark; 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ray_up")
    parser.add_argument("--trials", type=int, default=6, help="configurations of the search (default: 6)")
    parser.add_argument("--by", choices=("tmux", "job"), default="tmux", help="how the search is submitted")
    parser.add_argument(
        "--folder", type=Path, default=Path("build/ray_up"), help="default: build/ray_up; outside of /tmp"
    )
    arguments = parser.parse_args()
    folder = own_place(parser, arguments.folder)
    figures, found = measured(folder, arguments.trials, arguments.by)
    outcome = {**figures, "differences": found}
    print(json.dumps(outcome, indent=1))
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
