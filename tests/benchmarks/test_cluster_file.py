"""The cluster file of the benchmark's hosts: the one for machines of one's own, with their addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.cluster_hosts.cluster_file import SOURCE, adapted, with_flags
from benchmarks.cluster_hosts.hosts import Host, Hosts
from benchmarks.cluster_hosts.inside import HostPlan


def host(name: str, address: str) -> Host:
    return Host(
        HostPlan(
            name=name, address=address, folder="/f", share="/s", checkout="/c", public_key="k", hosts={},
            tmp_mib=1, shared_memory_mib=1,
        )
    )  # fmt: skip


@pytest.fixture
def written() -> dict[str, Any]:
    return yaml.safe_load(SOURCE.read_text())


def test_the_hosts_get_what_the_file_says_but_addresses_key_and_sizes(written: dict[str, Any]) -> None:
    hosts = Hosts(Path("/s"), [host("head", "10.0.0.1"), host("worker1", "10.0.0.2")])
    before = yaml.safe_dump(written)
    config = adapted(yaml.safe_load(before), hosts, Path("id"), cpus=1)
    assert config["provider"] == {"type": "local", "head_ip": "10.0.0.1", "worker_ips": ["10.0.0.2"]}
    assert config["auth"] == {"ssh_user": "root", "ssh_private_key": "id"}
    assert config["min_workers"] == config["max_workers"] == 1
    assert "FILL_IN" not in yaml.safe_dump(config)
    assert config["file_mounts"] == written["file_mounts"]
    assert config["setup_commands"] == written["setup_commands"]
    assert any("ray start --num-cpus=1 " in command for command in config["worker_start_ray_commands"])
    assert any("--num-cpus=0" in command for command in config["head_start_ray_commands"])


def test_flags_take_the_place_of_those_that_are_there() -> None:
    assert with_flags("ray stop", "--a=1") == "ray stop"
    assert (
        with_flags("x; ray start --num-cpus=4 --head", "--num-cpus=1") == "x; ray start --num-cpus=1 --head"
    )
