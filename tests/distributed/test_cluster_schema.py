"""Ray's own check of cluster files, and how its complaints read."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from platform.distributed.cluster_schema import schema_complaint
from tests.cluster_files import NAMES, filled


@pytest.mark.parametrize("name", NAMES)
def test_ray_takes_our_files(root: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    config = filled(root, name)
    before = copy.deepcopy(config)
    assert schema_complaint(config) is None
    assert config == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "change", "key", "text"),
    [
        (NAMES[0], {"max_worker": 3}, "max_worker", "did you mean max_workers?"),
        (NAMES[0], {"auth": {"ssh_usr": "a"}}, "auth.ssh_usr", "did you mean ssh_user?"),
        (NAMES[0], {"setup_commands": [1]}, "worker_setup_commands.0", "1 is not of type 'string'"),
        (NAMES[0], {"max_workers": -1}, "max_workers", "-1 is less than the minimum of 0"),
        (NAMES[0], {"head_node_type": "haed"}, "file", "`head_node_type` must be one of"),
        (NAMES[0], {"provider": "aws"}, "provider", "no mapping with a type"),
        (NAMES[1], {"available_node_types": {"a": {}}}, "available_node_types", "machines of your own"),
        (NAMES[1], {"provider": {"type": "local", "head_ip": "a"}}, "provider.worker_ips", "a list"),
        (NAMES[1], {"provider": {"type": "local", "worker_ips": []}}, "provider.head_ip", "missing"),
        (NAMES[1], {"idle_timeout_minute": 1}, "idle_timeout_minute", "idle_timeout_minutes?"),
    ],
)
def test_what_it_refuses_is_told_with_its_key(
    root: Path, name: str, change: dict[str, Any], key: str, text: str
) -> None:
    complaint = schema_complaint(filled(root, name) | change)
    assert complaint is not None
    assert complaint[0] == key
    assert text in complaint[1]
    assert "\n" not in complaint[1]
