"""Who may reach a cluster and what it reaches: token, dashboard, ssh, role, shared folder, files to copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from platform.diagnosis.cluster_blanks import is_blank
from platform.diagnosis.finding import Finding

STARTS = ("head_start_ray_commands", "worker_start_ray_commands")
SHARED = "/mnt/fer"
TOKEN = "~/.ray/auth_token"
REMEDIES = {
    "build/cluster-source": "make cluster-source",
    TOKEN: "ray get-auth-token --generate > /dev/null",
}


def ray_access(config: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether every node requires the token, and the dashboard listens on the head alone."""
    wrong = []
    for key in STARTS:
        for command in config.get(key, ()):
            if "ray start" in command and "RAY_AUTH_MODE=token" not in command:
                wrong.append(
                    Finding("failed", key, "starts Ray without RAY_AUTH_MODE=token: anyone could run code")
                )
    if TOKEN not in config.get("file_mounts", {}):
        wrong.append(Finding("failed", "file_mounts", f"nodes need the token: map {TOKEN} to itself"))
    head = " ".join(config.get(STARTS[0], ()))
    if "--dashboard-host=127.0.0.1" not in head and "--dashboard-host 127.0.0.1" not in head:
        wrong.append(
            Finding("failed", STARTS[0], "the dashboard must stay on the head: --dashboard-host=127.0.0.1")
        )
    yield from wrong or [Finding("ok", "Ray's ports", "every node requires the token")]


def aws_access(config: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether ssh is closed to the world, and the head has a role that is not full access."""
    types = config["available_node_types"]
    open_types = [name for name, node in types.items() if "SecurityGroupIds" not in node["node_config"]]
    if open_types:
        value = (
            f"{', '.join(open_types)}: no SecurityGroupIds, so Ray makes a group open to the world for ssh"
        )
        yield Finding("failed", "ssh", value, "clusters/aws_account.sh makes one for your address")
    else:
        yield Finding("ok", "ssh", "by security groups of your own; Ray adds no rule")
    head = config["head_node_type"]
    if "IamInstanceProfile" not in types[head]["node_config"]:
        value = f"{head} has no IamInstanceProfile: Ray gives it full access to EC2 and S3"
        yield Finding("failed", "role", value, "clusters/aws_account.sh makes one that suffices")
    else:
        yield Finding("ok", "role", "the head's own")
    trusted = [name for name in types if name != head and "IamInstanceProfile" in types[name]["node_config"]]
    if trusted:
        yield Finding("warning", "role", f"{', '.join(trusted)} need none", "take IamInstanceProfile out")


def local_machines(config: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether each machine is listed once, and the autoscaler is the version that starts all of them."""
    provider = config["provider"]
    workers = provider.get("worker_ips", [])
    named = [provider.get("head_ip"), *workers]
    twice = sorted({str(one) for one in named if named.count(one) > 1})
    if twice:
        yield Finding(
            "failed", "provider.worker_ips", f"{', '.join(twice)} is listed twice; the head is no worker"
        )
    for key in ("min_workers", "max_workers"):
        if config.get(key, len(workers)) != len(workers):
            yield Finding(
                "failed", key, f"must be {len(workers)}, the number of worker_ips, but is {config[key]}"
            )
    if "RAY_UP_enable_autoscaler_v2=0" not in " ".join(config.get(STARTS[0], ())):
        value = "version 2 of the autoscaler comes up one worker short: set RAY_UP_enable_autoscaler_v2=0"
        yield Finding("failed", STARTS[0], value)


def shared_folder(config: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether set-up mounts, or at least looks for, the folder that all nodes share."""
    commands = [*config.get("setup_commands", ()), *config.get("initialization_commands", ())]
    mounting = [one for one in commands if SHARED in one and "mount" in one]
    if not mounting:
        value = f"no set-up command mounts {SHARED}: every node must see runs and data there"
        yield Finding("failed", "shared folder", value, "mount an NFS folder, e.g. EFS")
    elif not any(is_blank(one) for one in mounting):
        yield Finding("ok", "shared folder", SHARED)


def local_files(config: Mapping[str, Any], folder: Path) -> Iterator[Finding]:
    """Whether what `ray up` copies is there: the checkout's copy, the token, the private key.

    folder: the one in which `ray up` is run.
    """
    wrong = []
    mounted = {f"file_mounts of {remote}": source for remote, source in config.get("file_mounts", {}).items()}
    key = config.get("auth", {}).get("ssh_private_key")
    wanted = mounted | ({"auth.ssh_private_key": key} if key else {})
    for name, source in wanted.items():
        if not is_blank(source) and not (folder / Path(str(source)).expanduser()).exists():
            remedy = REMEDIES.get(str(source), "correct the path, or make the file")
            wrong.append(Finding("failed", name, f"{source} does not exist", remedy))
    yield from wrong or [Finding("ok", "files to copy", f"{len(wanted)} are there")]
