"""Nodes that fail what others can do.

A node is set aside when three attempts in a row ended there with a lost worker or a failure of the
environment, of at least two runs or of one that succeeded elsewhere, while another node has finished
something since the first of them. What fails on several nodes and has succeeded on none speaks against the
run, not against the nodes, and does not count. The last node is never set aside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

FAILURES_IN_A_ROW = 3


class FailingNodes:
    """What attempts came to on each node; nodes and runs are named by ids."""

    def __init__(self) -> None:
        self._in_a_row: dict[str, list[str]] = defaultdict(list)
        """Runs whose attempts failed on the node since it last finished one."""
        self._others_can: set[str] = set()
        """Nodes with such failures, since whose first another node finished something."""
        self._failed_on: dict[str, set[str]] = defaultdict(set)
        """Nodes on which a run failed that has not succeeded yet."""
        self._succeeded: set[str] = set()
        """Runs that succeeded after they had failed."""

    def finished(self, node: str, run: str) -> None:
        """An attempt at the run came to its end there, whether or not its code failed."""
        self._in_a_row.pop(node, None)
        self._others_can.discard(node)
        self._others_can |= self._in_a_row.keys()
        if self._failed_on.pop(run, None):
            self._succeeded.add(run)

    def failed(self, node: str, run: str) -> None:
        """An attempt ended there with a lost worker or a failure of the environment."""
        self._in_a_row[node].append(run)
        if run not in self._succeeded:
            self._failed_on[run].add(node)

    def left(self, node: str) -> None:
        """The node is gone, and with it what speaks against it."""
        self._in_a_row.pop(node, None)
        self._others_can.discard(node)

    def to_set_aside(self, usable: Collection[str]) -> str | None:
        """A node of the usable ones that gets nothing any more; None if all may go on."""
        if len(usable) < 2:
            return None
        return next((node for node in sorted(usable) if self._is_failing(node)), None)

    def count(self, node: str) -> int:
        """Attempts that failed there in a row."""
        return len(self._in_a_row.get(node, ()))

    def _is_failing(self, node: str) -> bool:
        if node not in self._others_can:
            return False
        telling = [run for run in self._in_a_row[node] if not self._speaks_against_itself(run)]
        is_of_several = len(set(telling)) > 1 or any(run in self._succeeded for run in telling)
        return len(telling) >= FAILURES_IN_A_ROW and is_of_several

    def _speaks_against_itself(self, run: str) -> bool:
        return len(self._failed_on.get(run, ())) > 1
