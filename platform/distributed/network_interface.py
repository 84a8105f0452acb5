"""The network interface of a node's address, which the workers of one run talk through.

Left to themselves, gloo and NCCL look up the host's name or take the first interface that is up. Neither need
be the network of the cluster: Debian puts a host's own name at 127.0.1.1, where no other node reaches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping

GLOO, NCCL = "GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"
"""Environment variables that name the interface."""


def use_interface_of(
    address: str,
    environment: MutableMapping[str, str],
    interfaces: Mapping[str, Iterable[str]] | None = None,
) -> None:
    """Let gloo and NCCL of this process use the interface that carries the node's `address`.

    A value that the user has set on the node stays, except on a private cluster, whose node has a loopback
    address: there nothing may listen on another interface. Without such an interface (an address that a
    router translates) both choose for themselves. interfaces: as for `interface_of`.
    """
    name = interface_of(address, interfaces)
    if name is None:
        return
    # "=": the whole name. NCCL would also take eth10 for eth1.
    wanted = {GLOO: name, NCCL: f"={name}"}
    if address.startswith("127.") or address == "::1":
        environment.update(wanted)
    for variable, value in wanted.items():
        environment.setdefault(variable, value)


def interface_of(address: str, interfaces: Mapping[str, Iterable[str]] | None = None) -> str | None:
    """Name of the interface that carries the address; None if none does.

    interfaces: names and their addresses; None: those of this machine.
    """
    found = own_interfaces() if interfaces is None else interfaces
    return next((name for name, carried in found.items() if address in carried), None)


def own_interfaces() -> dict[str, list[str]]:
    """Names of this machine's interfaces, and their addresses."""
    from ray._private.utils import psutil  # part of Ray's wheel

    return {name: [one.address for one in found] for name, found in psutil.net_if_addrs().items()}
