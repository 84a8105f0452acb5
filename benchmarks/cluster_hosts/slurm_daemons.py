"""Slurm on the hosts: one controller on the head, one node per worker host."""

from __future__ import annotations

import os
import secrets
import time

from benchmarks.cluster_hosts.hosts import Host, Hosts

SLURM_PACKAGES = (
    "slurmctld", "slurmd", "slurm-client", "slurm-wlm-basic-plugins",
    "munge", "libmunge2", "libhwloc15", "libjson-c5", "liblua5.1-0", "libnuma1", "libdbus-1-3",
)  # fmt: skip
CONFIGURATION = "/mnt/fer/slurm.conf"
MUNGE_KEY = "/mnt/fer/munge.key"
SLURM_CONF = """\
ClusterName=fer
SlurmctldHost=head({head})
SlurmUser=root
SlurmdUser=root
StateSaveLocation=/tmp/slurmctld
SlurmdSpoolDir=/tmp/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/mnt/fer/slurmctld.log
SlurmdLogFile=/mnt/fer/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
START_SECONDS = 60


def start_slurm(hosts: Hosts) -> None:
    """Start the daemons and wait until all nodes are idle. SystemExit: they are not in time."""
    nodes = (
        f"NodeName={host.name} NodeAddr={host.plan.address} CPUs={os.cpu_count()} RealMemory=4000"
        for host in hosts.workers
    )
    text = SLURM_CONF.format(head=hosts.head.plan.address, nodes="\n".join(nodes))
    (hosts.share / "slurm.conf").write_text(text)
    key = hosts.share / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    token = secrets.token_hex(32)
    # As Debian's alternatives do when the packages are installed.
    _run(hosts.head, "for one in slurmctld slurmd slurmstepd; do ln -sf $one-wlm /usr/sbin/$one; done")
    for host in hosts.all:
        # As in the one home folder that nodes of Slurm share.
        _run(host, f"mkdir -p ~/.ray && echo {token} > ~/.ray/auth_token && chmod 600 ~/.ray/auth_token")
        _run(host, "mkdir -p /run/munge /etc/munge")
        files = "--pid-file=/run/munge/pid --seed-file=/run/munge/seed --log-file=/run/munge/log"
        _run(host, f"munged --force --key-file={MUNGE_KEY} {files}")
    _run(hosts.head, f"slurmctld -f {CONFIGURATION}")
    for host in hosts.workers:
        _run(host, f"slurmd -f {CONFIGURATION} -N {host.name}")
    deadline = time.monotonic() + START_SECONDS
    while (
        idle := _run(hosts.head, "sinfo --noheader --format='%D %t'")
    ).strip() != f"{len(hosts.workers)} idle":
        if time.monotonic() > deadline:
            raise SystemExit(f"Slurm's nodes are not idle, but: {idle}")
        time.sleep(1)


def _run(host: Host, command: str) -> str:
    done = host.run("sh", "-c", f"export SLURM_CONF={CONFIGURATION}; {command}")
    if done.returncode:
        raise SystemExit(f"`{command}` on {host.name} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout
