"""Watch over Ray's own processes, so that their loss ends with a message before Ray's C++ core exits."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from platform.errors import ClusterLost

PERIOD_SECONDS = 0.5
PATIENCE_SECONDS = 20.0
"""Time for this process to end by itself. Ray's C++ core ends it 60 s after it loses the control store."""
PROCESSES = {"gcs_server": "control store (gcs_server)", "raylet": "node manager (raylet)"}
"""Ray's name of each essential process to its name in messages. A lost agent ends the raylet."""


def cluster_lost(process: str, status: int) -> ClusterLost:
    """The error for a process in PROCESSES that ended with `status` (negative: killed by that signal)."""
    how = f"ended with status {status}"
    if status < 0:
        with suppress(ValueError):
            how = f"was killed by {signal.Signals(-status).name}"
    return ClusterLost(
        f"Ray's {PROCESSES[process]} {how}, which ended the fold runs; finished results are stored: run the "
        f"same command again to continue."
    )


class Watch(Protocol):
    """A cluster whose loss is found by looking."""

    period_seconds: float
    """Between two looks."""
    patience_seconds: float
    """For this process to end by itself after a loss."""

    def lost(self) -> ClusterLost | None:
        """Look once: the error if the cluster is lost for certain."""
        ...

    def conclusion(self) -> ClusterLost | None:
        """Look until it is certain that the cluster is lost (the error) or not (None)."""
        ...


@dataclass
class OwnCluster:
    """The private cluster: the processes that this process started."""

    node: Callable[[], Any] = field(default_factory=lambda: own_node)
    """Returns the group of Ray's processes."""
    period_seconds: float = PERIOD_SECONDS
    patience_seconds: float = PATIENCE_SECONDS

    def lost(self) -> ClusterLost | None:
        """As Watch."""
        return lost(self.node())

    def conclusion(self) -> ClusterLost | None:
        """As Watch."""
        return self.lost()


@contextmanager
def watched(interrupt: Callable[[ClusterLost], None], watch: Watch) -> Iterator[None]:
    """Context in which a thread calls `interrupt` if the cluster is lost.

    If the block does not end within the watch's patience after that, because its thread waits in C++ code for
    a reply that cannot arrive, the thread prints the error and exits with status 2.
    """
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(interrupt, over, watch), name="ray watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


def _watch(interrupt: Callable[[ClusterLost], None], over: threading.Event, watch: Watch) -> None:
    while not over.wait(watch.period_seconds):
        error = watch.lost()
        if error is not None:
            interrupt(error)
            if not over.wait(watch.patience_seconds):
                print(f"error: {error}", file=sys.stderr, flush=True)
                os._exit(2)
            return


def lost(node: Any) -> ClusterLost | None:
    """The error for the first of PROCESSES in Ray's `node` that has ended; None if `node` is None."""
    for name in PROCESSES:
        for information in getattr(node, "all_processes", {}).get(name, []):
            status = information.process.poll()
            if status is not None:
                return cluster_lost(name, status)
    return None


def end_lost_cluster() -> None:
    """End the rest of a cluster that lost a process, without contacting its control store."""
    node = own_node()
    if node is not None:
        node.kill_all_processes(check_alive=False, allow_graceful=False)


def own_node() -> Any:
    """The group of Ray processes that this process started; None if it started none."""
    from ray._private import worker

    return worker._global_node
