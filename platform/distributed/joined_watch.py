"""Watch over a cluster that this process joined: its control store, and the node manager of this machine.

Ray's C++ core ends this process 60 s after it lost the control store, with a line of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from platform.distributed.connection_probe import Reached
from platform.distributed.control_store import (
    ControlStoreError,
    NothingListens,
    check_listens,
)
from platform.errors import ClusterLost

PERIOD_SECONDS = 2.0
"""Between two looks."""
REFUSED_SECONDS = 16.0
"""Without a listener: a control store with storage of its own (Redis) may come back."""
SILENT_SECONDS = 36.0
"""Without an answer: a cut network may heal."""
PATIENCE_SECONDS = 8.0
"""For this process to end by itself; REFUSED_SECONDS or SILENT_SECONDS before it, and Ray's 60 s after it."""
GO_ON = (
    "its fold runs end with it, and finished results are stored: run the same command again once a head runs"
)


@dataclass
class JoinedCluster:
    """A cluster at an address, asked again and again."""

    reached: Reached
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    found: ClusterLost | None = None
    """The loss, once it is certain."""
    period_seconds: float = PERIOD_SECONDS
    patience_seconds: float = PATIENCE_SECONDS
    _since: float | None = None
    """When the control store was first missed."""
    _node_missed: int = 0
    """Looks in a row that found no node manager."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lost(self) -> ClusterLost | None:
        """As Watch: None also where the cluster may come back."""
        with self._lock:
            if self.found is None:
                self.found = self._asked()
            return self.found

    def conclusion(self) -> ClusterLost | None:
        """As Watch: why did a call to the cluster fail?"""
        while self.lost() is None and (self._since is not None or self._node_missed):
            self.sleep(self.period_seconds / 2)
        return self.found

    def _asked(self) -> ClusterLost | None:
        where, node = self.reached.words, self.reached.own_node
        self._node_missed = 0 if _listens(node.ip, node.port) else self._node_missed + 1
        try:
            cluster_id = self.reached.store.cluster_id()
        except ControlStoreError as error:
            now = self.clock()
            self._since = now if self._since is None else self._since
            gone_for = now - self._since
            refused = isinstance(error, NothingListens)
            if gone_for < (REFUSED_SECONDS if refused else SILENT_SECONDS) and self._node_missed < 2:
                return None
            return ClusterLost(f"the control store of the Ray cluster at {where} is gone ({error}); {GO_ON}.")
        self._since = None
        if cluster_id != self.reached.cluster_id:
            return ClusterLost(f"the head of the Ray cluster at {where} was started again; {GO_ON}.")
        if self._node_missed < 2:
            return None
        return ClusterLost(
            f"the node manager (raylet) of this machine, {node.host or node.ip}, has left the Ray cluster at "
            f"{where}; finished results are stored: start it again, and run the same command again to "
            "continue."
        )


def _listens(host: str, port: int) -> bool:
    """Whether a node manager listens, or may: only a refused connection is certain."""
    try:
        check_listens(host, port)
    except NothingListens:
        return False
    except ControlStoreError:
        return True
    return True
