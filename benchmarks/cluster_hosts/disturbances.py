"""Disturbances of a search on a cluster: one class per kind, and all kinds in the order of a run."""

from __future__ import annotations

import signal
import time
from abc import ABC, abstractmethod

from benchmarks.cluster_hosts.cluster_search import ClusterSearch
from benchmarks.cluster_hosts.hosts import Host, Hosts
from benchmarks.cluster_hosts.wrong_clock import set_clock_ahead, set_clock_right

FOLD_RUN, DISPATCHER, DRIVER = "ray::carry_out", "ray::RayDispatcher", "platform.tune"
OUTAGE_SECONDS = 30
"""Duration of what passes by itself: a cut cable, a stopped process, a machine that boots."""
PATIENCE_SECONDS = 300
"""For a target, and for a host whose clock is wrong to be seen."""
REFUSED_SECONDS = 5
"""After a refusal, for a run that waited for it to leave the host."""


class Disturbance(ABC):
    """One kind of disturbance."""

    kind: str

    @abstractmethod
    def strike(self, hosts: Hosts, running: ClusterSearch) -> str:
        """Disturb the search and undo what does not end by itself; in words, with the host."""


def busy_host(hosts: Hosts, running: ClusterSearch, place: int) -> tuple[Host, int]:
    """A worker host with a fold run, from number `place` on, and the process of that fold run."""
    order = hosts.workers[place:] + hosts.workers[:place]
    found: list[tuple[Host, int]] = []

    def looked() -> bool:
        found[:] = [(host, process) for host in order for process in host.find(FOLD_RUN)]
        return bool(found)

    running.wait_until(looked, "a fold run to be disturbed", PATIENCE_SECONDS)
    return found[0]


class DispatcherKilled(Disturbance):
    """The dispatcher's process receives SIGKILL."""

    kind = "dispatcher killed"

    def strike(self, hosts: Hosts, running: ClusterSearch) -> str:
        """As Disturbance."""
        (host, process) = next((host, one) for host in hosts.all for one in host.find(DISPATCHER))
        host.signal(process, signal.SIGKILL)
        return f"the dispatcher on {host.name} received SIGKILL"


class FoldRunKilled(Disturbance):
    """A fold run's process receives SIGKILL, as from the out-of-memory killer."""

    kind = "fold run killed"

    def strike(self, hosts: Hosts, running: ClusterSearch) -> str:
        """As Disturbance."""
        host, process = busy_host(hosts, running, 0)
        host.signal(process, signal.SIGKILL)
        return f"a fold run on {host.name} received SIGKILL"


class FoldRunStopped(Disturbance):
    """A fold run's process is stopped for a while and goes on."""

    kind = f"fold run stopped for {OUTAGE_SECONDS} s"

    def strike(self, hosts: Hosts, running: ClusterSearch) -> str:
        """As Disturbance."""
        host, process = busy_host(hosts, running, 1)
        host.signal(process, signal.SIGSTOP)
        time.sleep(OUTAGE_SECONDS)
        host.signal(process, signal.SIGCONT)
        return f"a fold run on {host.name} was stopped for {OUTAGE_SECONDS} s"


class RayletKilled(Disturbance):
    """Ray's node manager of a host receives SIGKILL; the autoscaler starts Ray there again."""

    kind = "raylet killed"

    def strike(self, hosts: Hosts, running: ClusterSearch) -> str:
        """As Disturbance."""
        host, _ = busy_host(hosts, running, 0)
        kill_raylet(host)
        return f"the raylet of {host.name} received SIGKILL"


def kill_raylet(host: Host) -> None:
    """End Ray on a host, if it runs there."""
    for process in host.raylet():
        host.signal(process, signal.SIGKILL)


class HostKilled(Disturbance):
    """A host loses power and boots again."""

    kind = "host killed"

    def strike(self, hosts: Hosts, running: ClusterSearch) -> str:
        """As Disturbance."""
        host, _ = busy_host(hosts, running, 1)
        host.kill()
        time.sleep(OUTAGE_SECONDS)
        host.start()
        return f"{host.name} was off for {OUTAGE_SECONDS} s"


class DriverKilled(Disturbance):
    """The driver receives SIGKILL, and the same command is submitted again."""

    kind = "driver killed"

    def strike(self, hosts: Hosts, running: ClusterSearch) -> str:
        """As Disturbance."""
        commands = hosts.head.commands().items()
        drivers = [n for n, command in commands if DRIVER in command and "/python" in command.split()[0]]
        for process in drivers:
            hosts.head.signal(process, signal.SIGKILL)
        running.wait_for_exit()
        running.submit()
        return "the driver received SIGKILL, and the same command was submitted again"


class NetworkCut(Disturbance):
    """A host is cut off from the network, though not from the shared folder: the hardest case for it."""

    kind = f"network cut for {OUTAGE_SECONDS} s"

    def strike(self, hosts: Hosts, running: ClusterSearch) -> str:
        """As Disturbance."""
        host, _ = busy_host(hosts, running, 0)
        host.set_cable(connected=False)
        time.sleep(OUTAGE_SECONDS)
        host.set_cable(connected=True)
        return f"{host.name} was cut off for {OUTAGE_SECONDS} s"


class WrongClock(Disturbance):
    """A host restarts with a clock that is an hour ahead, and later with the right one."""

    kind = "clock an hour off"

    def strike(self, hosts: Hosts, running: ClusterSearch) -> str:
        """As Disturbance."""
        host, _ = busy_host(hosts, running, 1)
        known = refusals(running)
        set_clock_ahead(host)
        kill_raylet(host)
        running.wait_until(lambda: not host.raylet(), "the raylet to end", PATIENCE_SECONDS)
        running.wait_until(lambda: bool(host.raylet()), "Ray with the wrong clock", PATIENCE_SECONDS)
        # A run that lands there before its node has answered waits for the answer, so its process alone does
        # not tell that it runs.
        running.wait_until(
            lambda: refusals(running) > known,
            "the host with the wrong clock to be refused",
            PATIENCE_SECONDS,
        )
        time.sleep(REFUSED_SECONDS)
        got = "has a fold run all the same" if host.find(FOLD_RUN) else "was refused"
        set_clock_right(host)
        kill_raylet(host)
        return f"the clock of {host.name} was an hour ahead, and it {got}"


def refusals(running: ClusterSearch) -> int:
    """Nodes that the dispatcher has refused so far."""
    return sum(event["event"] == "node_refused" for event in running.events())


class FullDisk(Disturbance):
    """A host's /tmp, where Ray keeps its session, is full for a while."""

    kind = "disk full"

    def strike(self, hosts: Hosts, running: ClusterSearch) -> str:
        """As Disturbance."""
        host, _ = busy_host(hosts, running, 0)
        fill = f"cat /dev/zero > /tmp/ballast; sleep {OUTAGE_SECONDS}; rm /tmp/ballast"
        host.run("sh", "-c", fill)
        return f"/tmp of {host.name} was full for {OUTAGE_SECONDS} s"


DISTURBANCES: tuple[Disturbance, ...] = (
    DispatcherKilled(),
    FoldRunKilled(),
    RayletKilled(),
    WrongClock(),
    DriverKilled(),
    HostKilled(),
    NetworkCut(),
    FullDisk(),
    FoldRunStopped(),
)
