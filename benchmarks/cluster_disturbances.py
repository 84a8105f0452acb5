"""Every disturbance of a cluster in one run: the table must be that of an undisturbed search on one machine.

    python -m benchmarks.cluster_disturbances                   about half an hour on two cores
    python -m benchmarks.cluster_disturbances --only clock      kinds whose name contains this

Builds hosts and a cluster as `benchmarks.ray_up` does (same requirements, and a C compiler), submits a
search and applies the kinds of `benchmarks/cluster_hosts/disturbances.py` one after another, each after the
recovery of the one before. Whenever the driver ends with a message, the same command is submitted again, as
its message says. For each kind it prints the seconds from the blow until the next result, and until every
worker host runs a fold run again. The undisturbed search runs beside it. Exit status 1 if anything differs,
the search does not recover, or it ends before all kinds were applied.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.chaos_search import PATIENCE_SECONDS, Search, differences
from benchmarks.cluster_hosts.cluster_search import ClusterSearch, SearchEnded
from benchmarks.cluster_hosts.disturbances import DISTURBANCES, FOLD_RUN, Disturbance
from benchmarks.cluster_hosts.hosts import Hosts
from benchmarks.cluster_hosts.namespaces import own_place
from benchmarks.cluster_hosts.running_cluster import running_cluster

RECOVERY_SECONDS = 420
SETTLED_SECONDS = 5
"""After a blow, before a host counts as at work: processes of a killed raylet live on for a moment."""
LONGER = ("--stage2-constant-epochs", "6", "--trials-in-flight", "4")
"""Arguments that make fold runs long enough to be struck, and keep every host at work."""


def struck(one: Disturbance, hosts: Hosts, running: ClusterSearch) -> dict[str, Any]:
    """Disturb the search and wait for its recovery; figures of the kind."""
    before, restarts, start = running.look(), len(running.restarts), time.monotonic()
    told = len(running.events())
    seconds: dict[str, float] = {}
    words = one.strike(hosts, running)
    lasted = time.monotonic() - start
    working: set[str] = set()

    def recovered() -> bool:
        if running.look() > before:
            seconds.setdefault("next result", round(time.monotonic() - start, 1))
        if time.monotonic() - start > SETTLED_SECONDS:
            working.update(host.name for host in hosts.workers if host.find(FOLD_RUN))
        return len(seconds) == 1 and len(working) == len(hosts.workers)

    running.wait_until(recovered, f"recovery after: {words}", RECOVERY_SECONDS, restart=True)
    return {
        "kind": one.kind,
        "what": words,
        "lasted (s)": round(lasted, 1),
        "next result after (s)": seconds["next result"],
        "every host at work after (s)": round(time.monotonic() - start, 1),
        "driver ended": running.restarts[restarts:],
        "events": [e["detail"] for e in running.events()[told:] if e["event"] not in USUAL],
    }


USUAL = (
    "run_finished", "round_finished", "trial_proposed", "trial_complete", "trial_pruned", "phase", "progress",
)  # fmt: skip
"""Events of an undisturbed search."""


def disturbed(folder: Path, kinds: list[Disturbance], trials: int, workers: int) -> dict[str, Any]:
    """Figures of each kind, and the differences between the two searches."""
    quiet = Search(folder=folder / "quiet", trials=trials, more=LONGER)
    rows: list[dict[str, Any]] = []
    with running_cluster(folder, workers) as (hosts, launcher):
        launcher.up()
        launcher.wait_for_nodes(len(hosts.all))
        undisturbed = quiet.start()  # beside the other, of which it makes a longer target
        search = Search(folder=hosts.share, trials=trials, more=LONGER)
        running = ClusterSearch(search, launcher)
        running.submit()
        running.wait_for_results(2)
        for one in kinds:
            if running.status() == 0:
                break
            try:
                rows.append(struck(one, hosts, running))
            except SearchEnded:
                break
            except SystemExit as error:
                rows.append({"kind": one.kind, "failed": str(error)[-2000:]})
            print(json.dumps(rows[-1]), flush=True)
        running.wait_for_end()
        if undisturbed.wait(PATIENCE_SECONDS) != 0:
            raise SystemExit(f"the undisturbed search failed:\n{quiet.said()}")
        found = differences(quiet, search, running.again)
        launcher.down()
    return {
        "disturbances": rows,
        "not applied": [one.kind for one in kinds[len(rows) :]],
        "differences": found,
    }


def main() -> int:
    """Run the benchmark; 1 if anything differs or a kind was not applied."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster_disturbances")
    parser.add_argument("--trials", type=int, default=24, help="configurations of the search (default: 24)")
    parser.add_argument("--workers", type=int, default=2, help="worker hosts with one CPU each (default: 2)")
    parser.add_argument("--only", metavar="WORDS", default="", help="only kinds whose name contains this")
    parser.add_argument("--folder", type=Path, default=Path("build/cluster_disturbances"))
    arguments = parser.parse_args()
    kinds = [one for one in DISTURBANCES if arguments.only in one.kind]
    if not kinds:
        parser.error(
            f"no kind has {arguments.only!r} in its name: {', '.join(one.kind for one in DISTURBANCES)}"
        )
    folder = own_place(parser, arguments.folder)
    outcome = disturbed(folder, kinds, arguments.trials, arguments.workers)
    print(json.dumps(outcome, indent=1))
    failed = [row["kind"] for row in outcome["disturbances"] if "failed" in row]
    return 1 if outcome["differences"] or outcome["not applied"] or failed else 0


if __name__ == "__main__":
    sys.exit(main())
