"""Start of Ray on this machine, with retries if a busy machine exceeds Ray's own timeouts."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from platform.errors import UserError

PAUSES_SECONDS = (2.0, 5.0, 10.0, 20.0, 30.0)
"""Pauses between attempts. An attempt takes up to 31 s (Ray's limit), all of them about four minutes."""
ATTEMPTS_AFTER_ANOTHER_ERROR = 2
"""Attempts if Ray's log gives a cause other than a slow machine, which may be permanent."""
# The raylet's timeout of 15 s for its agents is hard-coded in Ray (ray-project/ray issue 65983).
SLOW_AGENT = re.compile(r"Timed out waiting for file \S*?/(\w+?)_port_\w+")
FATAL = re.compile(r"^\[[^]]* C \d+ \d+\] \(\w+\) [\w.]+:\d+:\s*(.*)$", re.MULTILINE)
"""A fatal line of Ray's C++ logs; the group is its text."""

logger = logging.getLogger(__name__)


class RayNotStarted(UserError):
    """Ray did not start on this machine."""

    def __init__(self, message: str, reason: str, *, busy: bool) -> None:
        super().__init__(message)
        self.reason = reason
        """The cause in a few words."""
        self.busy = busy
        """Whether a slow machine was the cause, as far as Ray's logs say."""


def start_ray(
    options: Mapping[str, Any],
    take_sigterm: Callable[[], None] = lambda: None,
    pauses: tuple[float, ...] = PAUSES_SECONDS,
) -> None:
    """`ray.init(**options)` for a private cluster, with retries while the machine is too busy.

    `take_sigterm`: as for `sigterm_stays_ours`.

    An attempt that fails, or that Ctrl-C or SIGTERM interrupts, leaves no processes behind, except the agents
    of an aborted raylet, which end within 60 s. RayNotStarted: with Ray's reason.
    """
    import ray

    for attempt, pause in enumerate((*pauses, None), start=1):
        with sigterm_stays_ours(take_sigterm), _nodes_made() as nodes:
            try:
                ray.init(**options)
                return
            except BaseException as error:
                _end(nodes)
                if not isinstance(error, Exception):
                    raise
                busy, reason = _reason(error, _logs(nodes))
                logger.warning("attempt %d to start Ray failed: %s", attempt, reason)
                if pause is None or isinstance(error, OSError | ValueError):
                    raise _not_started(reason, attempt, busy=busy) from error
                if not busy and attempt >= ATTEMPTS_AFTER_ANOTHER_ERROR:
                    raise _not_started(reason, attempt, busy=busy) from error
        time.sleep(pause)


@contextmanager
def _nodes_made() -> Iterator[list[Any]]:
    """Context that yields the Ray nodes (process groups) created in it, including partially started ones.

    `ray.init` loses track of a node whose start fails, and of the processes that it had started.
    """
    from ray._private import node

    made: list[Any] = []

    class RecordedNode(node.Node):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            made.append(self)
            super().__init__(*arguments, **options)

    with mock.patch.object(node, "Node", RecordedNode):
        yield made


@contextmanager
def sigterm_stays_ours(take_sigterm: Callable[[], None]) -> Iterator[None]:
    """Context that keeps `ray.init` from installing its own SIGTERM handler, which exits without a message.

    `take_sigterm` reinstalls our handler after Ray's C++ core has replaced Python's.
    """
    from ray import _raylet
    from ray._private import utils

    core_worker: Any = vars(_raylet)["CoreWorker"]

    def made(*arguments: Any, **options: Any) -> Any:
        worker = core_worker(*arguments, **options)
        take_sigterm()
        return worker

    with mock.patch.object(utils, "set_sigterm_handler"), mock.patch.object(_raylet, "CoreWorker", made):
        yield


def _end(nodes: list[Any]) -> None:
    """End all processes of a failed or interrupted start."""
    import ray

    ray.shutdown()
    for node in nodes:
        if hasattr(node, "removal_lock"):  # otherwise it has not started anything
            node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)


def _logs(nodes: list[Any]) -> str:
    """The logs of Ray's control store and raylet."""
    texts = []
    for node in nodes:
        folder = Path(getattr(node, "_logs_dir", "") or os.devnull)
        for name in ("gcs_server.err", "gcs_server.out", "raylet.err", "raylet.out"):
            try:
                texts.append((folder / name).read_text(errors="replace"))
            except OSError:
                continue
    return "\n".join(texts)


def _reason(error: Exception, logs: str) -> tuple[bool, str]:
    """Whether a slow machine was the cause, and the cause in a few words."""
    slow = SLOW_AGENT.search(logs)
    if slow:
        return True, f"its {slow[1].replace('_', ' ')} did not start within Ray's limit of 15 s"
    fatal = FATAL.search(logs)
    if fatal:
        return False, fatal[1].split("we'll work with you to fix it.")[-1].strip()
    return True, (str(error).splitlines() or [type(error).__name__])[0]


def _not_started(
    reason: str, attempts: int, *, busy: bool, load: Callable[[], Any] = os.getloadavg
) -> RayNotStarted:
    times = f"{attempts} attempts" if attempts > 1 else "one attempt"
    remedy = (
        f"the machine may be too busy (load {load()[0]:.0f}): run the command again when the load is lower"
        if busy
        else "its log is ray.log in the experiment's folder"
    )
    reason = reason.rstrip(".")
    message = f"Ray could not be started on this machine in {times} ({reason}); {remedy}."
    return RayNotStarted(message, reason, busy=busy)
