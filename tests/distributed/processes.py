"""Processes as the kernel shows them, for tests that kill some and look at what is left (Linux)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
"""127.0.0.1, the same as an IPv6 address, and ::1, as the kernel writes them."""


def _read(path: Path) -> bytes:
    """Empty where the process has ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _command(process: int) -> str:
    """Command line; empty for a process that has ended, even where nobody has asked for its status."""
    return _read(Path(f"/proc/{process}/cmdline")).replace(b"\0", b" ").decode(errors="replace").strip()


def _numbers() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(process: int) -> dict[int, str]:
    """Process id to command line of all living children, grandchildren and so on."""
    parents = {}
    for number in _numbers():
        stat = _read(Path(f"/proc/{number}/stat"))
        if stat:
            parents[number] = int(stat.rsplit(b")", 1)[1].split()[1])
    found, wanted = set(), {process}
    while wanted:
        wanted = {number for number, parent in parents.items() if parent in wanted} - found
        found |= wanted
    commands = {number: _command(number) for number in found}
    return {number: command for number, command in commands.items() if command}


def carrying(variable: str, value: str) -> dict[int, str]:
    """Process id to command line of all living processes whose environment has that variable."""
    entry = f"{variable}={value}".encode()
    commands = {
        number: _command(number)
        for number in _numbers()
        if entry in _read(Path(f"/proc/{number}/environ")).split(b"\0")
    }
    return {number: command for number, command in commands.items() if command}


def listening_addresses(processes: set[int]) -> set[str]:
    """The addresses (hexadecimal, as the kernel writes them) that these processes listen on."""
    return {address for address, _ in listening_sockets(processes)}


def listening_sockets(processes: set[int]) -> set[tuple[str, int]]:
    """Address (hexadecimal, as the kernel writes it) and port of each socket on which one of these processes
    waits for TCP connections, or for UDP packets from anyone."""
    sockets: set[str] = set()
    for process in processes:
        folder = Path(f"/proc/{process}/fd")
        try:
            for descriptor in os.listdir(folder):
                try:
                    target = os.readlink(folder / descriptor)
                except OSError:
                    continue
                if target.startswith("socket:["):
                    sockets.add(target[8:-1])
        except OSError:
            continue
    found = set()
    # The state of a TCP socket that listens, and of a UDP socket that is bound but not connected.
    for table, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in _read(Path(f"/proc/net/{table}")).decode().splitlines()[1:]:
            fields = line.split()
            if fields[3] == state and fields[9] in sockets:
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found
