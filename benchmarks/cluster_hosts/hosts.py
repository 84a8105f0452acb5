"""Hosts that are started, killed, cut off and looked into from outside."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cluster_hosts.inside import HostPlan
from benchmarks.cluster_hosts.network import NETWORK, make_bridge, plug_in, set_cable
from tests.distributed.processes import descendants

ROOT = Path(__file__).resolve().parents[2]
NAMESPACES = ("--net", "--pid", "--mount", "--uts", "--fork", "--mount-proc", "--kill-child")
INSIDE = "benchmarks.cluster_hosts.inside"
START_SECONDS = 60


@dataclass
class Host:
    """A host, running or not."""

    plan: HostPlan
    process: subprocess.Popen[bytes] | None = None
    """Its outermost process, which takes all others with it."""

    @property
    def name(self) -> str:
        """As other hosts know it."""
        return self.plan.name

    def start(self) -> None:
        """Start it, or start it again after `kill`, and wait for its sshd."""
        folder = Path(self.plan.folder)
        folder.mkdir(parents=True, exist_ok=True)
        description = folder / "host.json"
        description.write_text(json.dumps(dataclasses.asdict(self.plan)))
        with (folder / "host.log").open("a") as log:
            self.process = subprocess.Popen(
                ["unshare", *NAMESPACES, sys.executable, "-m", INSIDE, description],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        plug_in(self.name, self.process.pid)
        deadline = time.monotonic() + START_SECONDS
        while not any("/sshd -D" in command or "sshd: " in command for command in self.commands().values()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(
                    f"host {self.name} does not start: {(folder / 'host.log').read_text()[-2000:]}"
                )
            time.sleep(0.1)

    def kill(self) -> None:
        """A power failure: nobody hears from it any more, and all its processes end. Its disk stays."""
        assert self.process is not None
        self.set_cable(connected=False)  # otherwise its kernel would still close its connections
        self.process.kill()
        self.process.wait()

    def commands(self) -> dict[int, str]:
        """Process id, as seen from outside, to command line of all its processes."""
        return descendants(self.process.pid) if self.process is not None else {}

    def find(self, *starts: str) -> list[int]:
        """Ids of processes whose command line starts with one of these."""
        return [number for number, command in self.commands().items() if command.startswith(starts)]

    def raylet(self) -> list[int]:
        """Id of Ray's node manager; empty if none runs."""
        return [n for n, command in self.commands().items() if command.split()[0].endswith("/raylet")]

    def signal(self, process: int, number: signal.Signals) -> None:
        """Send a signal to one of its processes."""
        os.kill(process, number)

    def set_cable(self, *, connected: bool) -> None:
        """Cut it off from the network, or connect it again."""
        set_cable(self.name, connected=connected)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the host's namespaces."""
        (first, *_) = self.find("sshd", "/usr/sbin/sshd")
        enter = ["nsenter", f"--target={first}", "--mount", "--pid", "--uts", "--net"]
        return subprocess.run([*enter, *words], capture_output=True, text=True, check=False)


@dataclass
class Hosts:
    """The hosts of a cluster: the head first."""

    share: Path
    all: list[Host] = field(default_factory=list)

    @property
    def head(self) -> Host:
        """The host on which the driver runs."""
        return self.all[0]

    @property
    def workers(self) -> list[Host]:
        """The others."""
        return self.all[1:]


@contextmanager
def running_hosts(folder: Path, workers: int, public_key: str) -> Iterator[Hosts]:
    """Context with a head and `workers` further hosts; this process must be in its own network namespace.

    folder: the hosts' files; its folder `share` is mounted on all of them.
    """
    names = ["head", *(f"worker{number}" for number in range(1, workers + 1))]
    addresses = {name: f"{NETWORK}.{10 + number}" for number, name in enumerate(names)}
    share = folder / "share"
    share.mkdir(parents=True, exist_ok=True)
    make_bridge()
    hosts = Hosts(share=share)
    try:
        for name, address in addresses.items():
            plan = HostPlan(
                name=name,
                address=address,
                folder=str(folder / "hosts" / name),
                share=str(share),
                checkout=str(ROOT),
                public_key=public_key,
                hosts=addresses,
                tmp_mib=1024,
                shared_memory_mib=2048,
            )
            hosts.all.append(Host(plan))
            hosts.all[-1].start()
        yield hosts
    finally:
        for host in hosts.all:
            if host.process is not None and host.process.poll() is None:
                host.kill()
