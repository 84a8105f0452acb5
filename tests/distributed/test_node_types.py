"""Node types of an autoscaler, as reported to the control store and as its file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from platform.distributed.node_types import (
    UNLIMITED,
    NodeType,
    autoscaler_files,
    startable_types,
    types_in,
)

FILE = {
    "max_workers": 6,
    "head_node_type": "head",
    "available_node_types": {
        "head": {"resources": {"CPU": 0}},
        "gpu": {"resources": {"CPU": 8, "GPU": 1}, "max_workers": 8},
        "cpu": {"resources": {"CPU": 16}},
        "none": {"resources": {"CPU": 99}, "max_workers": 0},
    },
}
GPU = NodeType(name="gpu", resources={"CPU": 8, "GPU": 1}, most=6)
CPU = NodeType(name="cpu", resources={"CPU": 16}, most=6)


def test_types_of_a_file_that_may_be_added() -> None:
    assert types_in(FILE) == (GPU, CPU), "the head and a type with no nodes cannot be added"
    assert types_in({}) == ()


def test_own_machines_state_no_resources_before_they_are_up() -> None:
    local: dict[str, Any] = {"head_node_type": "local.cluster.node", "max_workers": 2}
    local["available_node_types"] = {"local.cluster.node": {"resources": {}, "max_workers": 2}}
    assert types_in(local) == (NodeType(name="local.cluster.node", resources={}, most=2),)


def test_what_is_reported_comes_before_the_file(tmp_path: Path) -> None:
    from ray.core.generated import autoscaler_pb2

    messages: Any = autoscaler_pb2
    config = messages.ClusterConfig()
    config.node_group_configs.add(name="gpu", max_count=-1).resources.update({"CPU": 8, "GPU": 1})
    config.node_group_configs.add(name="head", max_count=0)
    path = tmp_path / "bootstrap.yaml"
    path.write_text(yaml.safe_dump(FILE, sort_keys=False))
    assert startable_types(config.SerializeToString(), [path]) == (
        NodeType(name="gpu", resources={"CPU": 8, "GPU": 1}, most=UNLIMITED),
    )
    assert startable_types(b"", [tmp_path / "gone", path]) == (GPU, CPU)
    assert startable_types(b"", []) == ()


def test_the_file_of_the_autoscaler_of_this_cluster_is_found_by_its_port() -> None:
    monitor = ["python", "monitor.py", "--gcs-address=10.0.0.1:6379", "--autoscaling-config=/x/y.yaml"]
    other = [word.replace("6379", "16379").replace("y.yaml", "z.yaml") for word in monitor]
    commands = [["raylet", "--gcs-address=10.0.0.1:6379"], other, monitor, []]
    assert autoscaler_files(6379, lambda: commands) == [Path("/x/y.yaml")]
    assert isinstance(autoscaler_files(1), list), "of this machine"
