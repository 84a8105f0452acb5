"""The network of the hosts: a bridge, and a virtual cable from it to each host."""

from __future__ import annotations

import os
import socket
import subprocess
import time

BRIDGE = "br0"
NETWORK = "10.88.0"
GATEWAY = f"{NETWORK}.1"
"""Address of the bridge, hence of the machine from which the cluster is started."""


def ip(*words: str) -> None:
    """Run the command `ip`."""
    subprocess.run(["ip", *words], check=True)


def make_bridge() -> None:
    """Create the bridge in this process's network namespace, which must be its own."""
    ip("link", "set", "lo", "up")
    ip("link", "add", BRIDGE, "type", "bridge")
    ip("addr", "add", f"{GATEWAY}/24", "dev", BRIDGE)
    ip("link", "set", BRIDGE, "up")


def plug_in(name: str, process: int) -> None:
    """Lay a cable from the bridge to the network namespace of `process`, where its end is named `e0`."""
    while os.readlink(f"/proc/{process}/ns/net") == os.readlink("/proc/self/ns/net"):
        time.sleep(0.05)  # not yet in its own namespace
    if any(known == f"v-{name}" for _, known in socket.if_nameindex()):
        ip("link", "del", f"v-{name}")  # of the host's earlier life
    ip("link", "add", f"v-{name}", "type", "veth", "peer", "name", f"e-{name}")
    ip("link", "set", f"v-{name}", "master", BRIDGE, "up")
    ip("link", "set", f"e-{name}", "netns", str(process), "name", "e0")


def set_cable(name: str, *, connected: bool) -> None:
    """Pull a host's cable, or plug it in again. Connections survive if it is short enough for TCP."""
    ip("link", "set", f"v-{name}", "up" if connected else "down")
