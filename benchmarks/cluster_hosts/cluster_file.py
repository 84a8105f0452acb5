"""The cluster file for the hosts: ray_cluster.local.yaml with their addresses and sizes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from benchmarks.cluster_hosts.hosts import ROOT, Hosts

SOURCE = ROOT / "ray_cluster.local.yaml"
OBJECT_STORE_BYTES = 200_000_000
"""Smaller than the hosts' shared memory, which is smaller than Ray's default."""


def cluster_file(hosts: Hosts, private_key: Path, path: Path, cpus: int) -> Path:
    """Write the file for these hosts to `path`.

    cpus: of each worker; hosts on one machine would otherwise each offer all of its processors.
    """
    config = adapted(yaml.safe_load(SOURCE.read_text()), hosts, private_key, cpus)
    path.write_text(yaml.safe_dump(config, sort_keys=False, width=10_000))
    return path


def adapted(config: dict[str, Any], hosts: Hosts, private_key: Path, cpus: int) -> dict[str, Any]:
    """The file's content with what differs on the hosts: addresses, key, no packages to install, sizes."""
    config["provider"] |= {
        "head_ip": hosts.head.plan.address,
        "worker_ips": [host.plan.address for host in hosts.workers],
    }
    config["auth"] = {"ssh_user": "root", "ssh_private_key": str(private_key)}
    config |= {name: len(hosts.workers) for name in ("min_workers", "max_workers")}
    for kind in ("initialization_commands", "setup_commands", "head_setup_commands", "worker_setup_commands"):
        config[kind] = [command for command in config.get(kind) or [] if not _needs_internet(command)]
    sizes = f"--object-store-memory={OBJECT_STORE_BYTES}"
    config["head_start_ray_commands"] = [
        with_flags(command, sizes) for command in config["head_start_ray_commands"]
    ]
    config["worker_start_ray_commands"] = [
        with_flags(command, f"--num-cpus={cpus} --num-gpus=0 {sizes}")
        for command in config["worker_start_ray_commands"]
    ]
    return config


def _needs_internet(command: str) -> bool:
    return "apt-get" in command or "mount" in command.split()


def with_flags(command: str, flags: str) -> str:
    """The command with more flags for `ray start`, in place of those that it has."""
    if "ray start" not in command:
        return command
    for name in re.findall(r"--[a-z-]+(?==)", flags):
        command = re.sub(rf"\s{name}[= ]\S+", "", command)
    return command.replace("ray start", f"ray start {flags}")
