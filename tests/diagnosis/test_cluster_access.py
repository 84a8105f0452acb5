"""Who may reach a cluster, and what it reaches."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from platform.diagnosis.cluster_access import (
    aws_access,
    local_files,
    local_machines,
    ray_access,
    shared_folder,
)
from tests.cluster_files import NAMES, filled


@pytest.fixture
def aws(root: Path) -> dict[str, Any]:
    return copy.deepcopy(filled(root))


@pytest.fixture
def local(root: Path) -> dict[str, Any]:
    return filled(root, NAMES[1])


def test_our_files_are_closed_to_strangers(aws: dict[str, Any], local: dict[str, Any]) -> None:
    for config in (aws, local):
        assert [one.state for one in ray_access(config)] == ["ok"]
        assert [one.value for one in shared_folder(config)] == ["/mnt/fer"]
    assert [one.state for one in aws_access(aws)] == ["ok", "ok"]
    assert not list(local_machines(local))


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("worker_start_ray_commands", ["ray start --address=$RAY_HEAD_IP:6379"], "RAY_AUTH_MODE=token"),
        ("file_mounts", {}, "need the token"),
        ("head_start_ray_commands", ["RAY_AUTH_MODE=token ray start --head"], "--dashboard-host=127.0.0.1"),
    ],
)
def test_an_open_door_of_ray_is_named(aws: dict[str, Any], key: str, value: Any, text: str) -> None:
    (found,) = ray_access(aws | {key: value})
    assert (found.state, text in found.value) == ("failed", True)


def test_a_group_or_role_made_by_ray_is_refused(aws: dict[str, Any]) -> None:
    del aws["available_node_types"]["gpu_worker"]["node_config"]["SecurityGroupIds"]
    del aws["available_node_types"]["head"]["node_config"]["IamInstanceProfile"]
    ssh, role = aws_access(aws)
    assert (ssh.state, role.state) == ("failed", "failed")
    assert ssh.value.startswith("gpu_worker: ")
    assert "full access to EC2 and S3" in role.value


def test_workers_need_no_role(aws: dict[str, Any]) -> None:
    aws["available_node_types"]["gpu_worker"]["node_config"]["IamInstanceProfile"] = {"Name": "mine"}
    assert [one.state for one in aws_access(aws)] == ["ok", "ok", "warning"]


def test_machines_are_listed_once_and_all_of_them_wanted(local: dict[str, Any]) -> None:
    local["provider"]["worker_ips"] = ["10.0.0.1", "10.0.0.2", "10.0.0.2"]
    local["head_start_ray_commands"] = ["RAY_AUTH_MODE=token ray start --head"]
    found = {one.name: one.value for one in local_machines(local)}
    assert found["provider.worker_ips"].startswith("10.0.0.1, 10.0.0.2 is listed twice")
    assert found["min_workers"] == "must be 3, the number of worker_ips, but is 2"
    assert "one worker short" in found["head_start_ray_commands"]


def test_a_cluster_without_a_shared_folder_is_refused(aws: dict[str, Any]) -> None:
    (found,) = shared_folder(aws | {"setup_commands": ["true"]})
    assert found.state == "failed"


def test_what_is_copied_has_to_be_there(
    aws: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    missing = {one.name: one.remedy for one in local_files(aws, tmp_path)}
    assert missing["file_mounts of ~/fer-source"] == "make cluster-source"
    assert missing["file_mounts of ~/.ray/auth_token"].startswith("ray get-auth-token")
    assert "auth.ssh_private_key" in missing
    for path in ("build/cluster-source", "home/.ray/auth_token", "home/.ssh/my-key.pem"):
        (tmp_path / path).mkdir(parents=True)
    assert [one.state for one in local_files(aws, tmp_path)] == ["ok"]
