"""A search under Slurm for real: its daemons on hosts of this machine, clusters/slurm.sh, a requeued job.

    python -m benchmarks.slurm                     two nodes; ten minutes

Builds hosts as `benchmarks.ray_up` does (same requirements), with Debian's slurm-wlm on them, submits
clusters/slurm.sh, requeues the job once a third of the results are there, waits for the table and compares it
byte for byte with that of an undisturbed run on one machine. Exit status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.chaos_search import PATIENCE_SECONDS, Search, differences, run_quietly
from benchmarks.cluster_hosts.hosts import ROOT, Hosts, running_hosts
from benchmarks.cluster_hosts.inside import CHECKOUT as IN_HOME
from benchmarks.cluster_hosts.inside import HOME
from benchmarks.cluster_hosts.launcher import make_home
from benchmarks.cluster_hosts.namespaces import own_place
from benchmarks.cluster_hosts.packages import PACKAGES
from benchmarks.cluster_hosts.slurm_daemons import CONFIGURATION, SLURM_PACKAGES, start_slurm

CHECKOUT = Path("/mnt/fer/checkout")
"""On the hosts' shared folder, as home folders of Slurm's nodes are."""


def shared_checkout(hosts: Hosts) -> Path:
    """Copy the checkout to the shared folder, with a link to each host's own `.venv`."""
    subprocess.run(["make", "-s", "cluster-source"], cwd=ROOT, check=True)
    checkout = hosts.share / CHECKOUT.name
    shutil.copytree(ROOT / "build" / "cluster-source", checkout)
    (checkout / ".venv").symlink_to(HOME / IN_HOME / ".venv")
    return checkout


def on_head(hosts: Hosts, command: str) -> str:
    """Output of a shell command on the head, where Slurm's commands find its configuration."""
    set_up = f"export SLURM_CONF={CONFIGURATION}; cd {CHECKOUT}; "
    done = hosts.head.run("bash", "-c", set_up + command)
    if done.returncode:
        raise SystemExit(f"`{command}` ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def until(hosts: Hosts, search: Search, results: int) -> None:
    """Wait until `results` are complete. SystemExit: the job ended before, or time is up."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(search.finished()) < results:
        queue = on_head(hosts, "squeue --noheader").strip()
        if not queue or time.monotonic() > deadline:
            raise SystemExit(f"fewer than {results} results; queue: {queue!r}; log: {said(search)}")
        time.sleep(1)


def wait_for_table(hosts: Hosts, search: Search) -> None:
    """Wait until the job has left the queue. SystemExit: it left no table."""
    while on_head(hosts, "squeue --noheader").strip():
        time.sleep(1)
    if not (search.experiment / "table.json").exists():
        raise SystemExit(f"the job ended without a table: {said(search)}")


def said(search: Search) -> str:
    """The end of the job's log."""
    return "\n".join(path.read_text()[-4000:] for path in search.folder.glob("fer-tune-*.log"))


def measured(folder: Path, trials: int) -> tuple[dict[str, float], dict[str, list[Any]]]:
    """Figures in order, and differences from the undisturbed search."""
    figures: dict[str, float] = {}
    quiet = Search(folder=folder / "quiet", trials=trials)
    with running_hosts(folder, 2, make_home(folder / "launcher" / "home")) as hosts:
        figures["one machine: first result to end (s)"] = round(run_quietly(quiet), 1)
        start_slurm(hosts)
        search = Search(folder=shared_checkout(hosts), trials=trials)
        search.copy_data(quiet)
        words = shlex.join(search.words(CHECKOUT))
        start = time.monotonic()
        on_head(hosts, f"sbatch --nodes=2 --gpus-per-node=0 clusters/slurm.sh {words}")
        until(hosts, search, 1)
        figures["submitted to first result (s)"] = round(time.monotonic() - start, 1)
        wanted = len(quiet.finished())
        until(hosts, search, wanted // 3)
        before = search.finished()
        requeued = time.monotonic()
        on_head(hosts, "scontrol requeue $(squeue --noheader --format=%i)")
        until(hosts, search, len(before) + 1)
        figures["requeued to next result (s)"] = round(time.monotonic() - requeued, 1)
        wait_for_table(hosts, search)
        figures["submitted to table (s)"] = round(time.monotonic() - start, 1)
        again = {name for name, was in before.items() if search.finished().get(name, was) != was}
        return figures, differences(quiet, search, again)


def main() -> int:
    """Run the benchmark; 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.slurm")
    parser.add_argument("--trials", type=int, default=6, help="configurations of the search (default: 6)")
    parser.add_argument("--folder", type=Path, default=Path("build/slurm"), help="default: build/slurm")
    arguments = parser.parse_args()
    folder = own_place(parser, arguments.folder, (*PACKAGES, *SLURM_PACKAGES))
    figures, found = measured(folder, arguments.trials)
    outcome = {**figures, "differences": found}
    print(json.dumps(outcome, indent=1))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
