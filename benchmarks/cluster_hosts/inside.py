"""What turns a new set of namespaces into a host: mounts, network, and finally sshd in this process's place.

    python -m benchmarks.cluster_hosts.inside HOST.json

Runs as the first process of the namespaces; the file holds the fields of `HostPlan`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.cluster_hosts.network import GATEWAY, ip
from benchmarks.cluster_hosts.packages import overlay

HOME = Path(pwd.getpwuid(0).pw_dir)
CHECKOUT = "fer-platform"
"""The checkout on a host, below its home folder."""
SSHD_CONFIG = """\
HostKey /run/host_key
PermitRootLogin yes
UsePAM no
StrictModes no
PidFile none
Subsystem sftp internal-sftp
MaxStartups 100
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class HostPlan:
    """Everything that a host is made of; JSON values only."""

    name: str
    address: str
    folder: str
    """The host's own files."""
    share: str
    """Mounted at /mnt/fer on every host."""
    checkout: str
    """With `.venv`, of which the host sees a copy that it may change."""
    public_key: str
    """Of the person who may log in."""
    hosts: dict[str, str]
    """Name to address of every host."""
    tmp_mib: int
    """Size of the file system /tmp, where Ray keeps its session."""
    shared_memory_mib: int


def mount(*words: str | Path) -> None:
    """Run the command `mount`."""
    subprocess.run(["mount", *map(str, words)], check=True)


def make_home(plan: HostPlan) -> None:
    """The home folder: key, interpreter, `.venv`."""
    home = Path(plan.folder) / "home"
    for name in (".ssh", f"{CHECKOUT}/.venv"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / ".bashrc").touch()
    (home / ".ssh" / "authorized_keys").write_text(plan.public_key)
    overlay(
        ((Path(plan.checkout) / ".venv").resolve(),), Path(plan.folder) / "venv", home / CHECKOUT / ".venv"
    )
    # The program's first line names the interpreter of the virtual environment that it was installed into.
    ray = home / CHECKOUT / ".venv" / "bin" / "ray"
    script = ray.read_text().split("\n", 1)[1]
    ray.write_text(f"#!{HOME / CHECKOUT}/.venv/bin/python\n{script}")
    # `make setup` has nothing to do where the second is newer than the first.
    shutil.copyfile(Path(plan.checkout) / "requirements.lock", home / CHECKOUT / "requirements.lock")
    (home / CHECKOUT / ".venv" / ".complete").touch()
    interpreter = Path(sys.base_prefix)
    if interpreter.is_relative_to(HOME):
        there = home / interpreter.relative_to(HOME)
        there.mkdir(parents=True, exist_ok=True)
        mount("--bind", interpreter, there)
    mount("--rbind", home, HOME)


def make_system(plan: HostPlan) -> None:
    """Folders of the system that a host does not share with the others."""
    folder = Path(plan.folder)
    users, names = folder / "passwd", folder / "hosts"
    known = Path("/etc/passwd").read_text()
    users.write_text(
        known if "\nsshd:" in known else f"{known}sshd:x:74:65534::/run/sshd:/usr/sbin/nologin\n"
    )
    # A host's own name stands at its address, not at 127.0.1.1: gloo would listen there.
    lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in plan.hosts.items())]
    names.write_text("\n".join(lines) + "\n")
    mount("--bind", users, "/etc/passwd")
    mount("--bind", names, "/etc/hosts")
    overlay((Path("/usr/local/bin"),), folder / "bin", Path("/usr/local/bin"))
    mount("-t", "tmpfs", "none", "/run")
    Path("/run/sshd").mkdir()
    if not shutil.which("sudo"):
        Path("/usr/local/bin/sudo").write_text('#!/bin/sh\nexec env "$@"\n')
        Path("/usr/local/bin/sudo").chmod(0o755)
    mount("-t", "tmpfs", "none", "/mnt")
    Path("/mnt/fer").mkdir()
    mount("--bind", plan.share, "/mnt/fer")
    mount("-t", "tmpfs", "-o", f"size={plan.shared_memory_mib}m", "none", "/dev/shm")


def join_network(plan: HostPlan) -> None:
    """Wait for the cable and take the host's address."""
    while not Path("/sys/class/net/e0").exists() and not _has_cable():
        time.sleep(0.1)
    ip("link", "set", "lo", "up")
    ip("addr", "add", f"{plan.address}/24", "dev", "e0")
    ip("link", "set", "e0", "up")
    ip("route", "add", "default", "via", GATEWAY)


def _has_cable() -> bool:
    """/sys may show another namespace's interfaces."""
    return any(name == "e0" for _, name in socket.if_nameindex())


def main() -> None:
    """Make the host and become its sshd."""
    plan = HostPlan(**json.loads(Path(sys.argv[1]).read_text()))
    socket.sethostname(plan.name)
    make_system(plan)
    make_home(plan)
    join_network(plan)
    Path("/run/sshd_config").write_text(SSHD_CONFIG)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/run/host_key"], check=True)
    # Last: everything above may lie below /tmp.
    mount("-t", "tmpfs", "-o", f"size={plan.tmp_mib}m", "none", "/tmp")
    os.chdir("/")
    sshd = ["/usr/sbin/sshd", "-D", "-e", "-f", "/run/sshd_config"]
    os.execve(sshd[0], sshd, {"PATH": os.environ["PATH"]})


if __name__ == "__main__":
    main()
