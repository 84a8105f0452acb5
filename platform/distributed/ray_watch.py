"""Notices the end of Ray's own processes on this machine before Ray's C++ code ends this one, wordless."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from platform.errors import ClusterLost

PERIOD_SECONDS = 0.5
PATIENCE_SECONDS = 20.0
"""For this process to end by itself. Ray's C++ code ends it 60 s after the loss of the control store."""
PROCESSES = {"gcs_server": "control store (gcs_server)", "raylet": "node manager (raylet)"}
"""Ray's name for a process without which nothing goes on, to ours. A lost agent ends the raylet."""


def cluster_lost(process: str, status: int) -> ClusterLost:
    """The error for a process of PROCESSES that ended with `status` (negative: by that signal)."""
    how = f"ended with status {status}"
    if status < 0:
        with suppress(ValueError):
            how = f"was killed by {signal.Signals(-status).name}"
    return ClusterLost(
        f"Ray's {PROCESSES[process]} {how}, and the fold runs with it; what was finished is stored: run the "
        f"same command again to go on."
    )


@contextmanager
def watched(
    interrupt: Callable[[ClusterLost], None], node: Callable[[], Any] | None = None
) -> Iterator[None]:
    """In the block, the loss of one of PROCESSES is told to `interrupt`, from a thread of its own.

    node: gives the group of Ray's processes to watch; this process's own unless given.

    If the block does not end within PATIENCE_SECONDS then, as its thread waits in C++ code for an answer
    that cannot come, the process ends here, with the error's sentence and status 2.
    """
    over = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(interrupt, over, node or own_node), name="ray watch", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()


def _watch(interrupt: Callable[[ClusterLost], None], over: threading.Event, node: Callable[[], Any]) -> None:
    while not over.wait(PERIOD_SECONDS):
        error = lost(node())
        if error is not None:
            interrupt(error)
            if not over.wait(PATIENCE_SECONDS):
                print(f"error: {error}", file=sys.stderr, flush=True)
                os._exit(2)
            return


def lost(node: Any) -> ClusterLost | None:
    """The error for the first of PROCESSES of Ray's `node` (None: of none) that has ended."""
    for name in PROCESSES:
        for information in getattr(node, "all_processes", {}).get(name, []):
            status = information.process.poll()
            if status is not None:
                return cluster_lost(name, status)
    return None


def end_lost_cluster() -> None:
    """End what is left of a cluster that lost a process, without asking its control store for anything."""
    node = own_node()
    if node is not None:
        node.kill_all_processes(check_alive=False, allow_graceful=False)


def own_node() -> Any:
    """The group of Ray's processes that this process has started; None where there is none."""
    from ray._private import worker

    return worker._global_node
