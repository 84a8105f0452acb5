"""Live drivers of a runs folder, seen from any machine that mounts it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from platform.experiments.driver_lease import WATCH_SECONDS, lease_slot
from platform.experiments.lease import Lease, kernel_id

GLANCE_SECONDS = 4.0
"""Two heartbeats: how long a listing watches the leases of other machines, all at once."""
LOOK_SECONDS = 0.2


def live_drivers(folders: Mapping[str, Path], watch_seconds: float = WATCH_SECONDS) -> dict[str, Lease]:
    """Experiment to the lease of its driver, of those whose driver lives.

    A driver under this kernel has the same clock, so the age of its heartbeat says at once. Those of other
    machines are watched together until their counters move, or for `watch_seconds`. Writes nothing.
    UserError: a lease cannot be read.
    """
    kernel, now = kernel_id(), time.monotonic()
    live: dict[str, Lease] = {}
    foreign: dict[str, Lease] = {}
    for name, folder in folders.items():
        lease = lease_slot(folder).read()
        if lease is None:
            continue
        if lease.kernel != kernel:
            foreign[name] = lease
        elif now - lease.beat_at < WATCH_SECONDS:
            live[name] = lease
    while foreign and time.monotonic() - now < watch_seconds:
        time.sleep(min(LOOK_SECONDS, watch_seconds))
        for name, before in list(foreign.items()):
            lease = lease_slot(folders[name]).read()
            if lease is not None and (lease.owner, lease.counter) != (before.owner, before.counter):
                live[name] = lease
                del foreign[name]
    return live
