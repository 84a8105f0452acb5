"""Keys and values of a cluster file beyond Ray's schema."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from platform.diagnosis.cluster_keys import AWS_NODE_KEYS, aws_node_types, provider_keys, unknown_keys
from tests.cluster_files import NAMES, filled


@pytest.mark.parametrize("name", NAMES)
def test_all_of_our_files_is_known(root: Path, name: str) -> None:
    config = filled(root, name)
    assert [one.state for one in provider_keys(config)] == ["ok"]
    if name == NAMES[0]:
        found = list(aws_node_types(config))
        assert [(one.state, one.name) for one in found] == [
            ("ok", "head"), ("ok", "gpu_worker"), ("ok", "gpu_worker_on_demand"),
        ]  # fmt: skip
        assert [one.value for one in found[1:]] == [
            "at most 8, g5.2xlarge, spot",
            "at most 0, g5.2xlarge, on-demand",
        ]


@pytest.mark.parametrize(
    ("place", "value", "name", "text"),
    [
        (["InstanceTyp"], "g5.2xlarge", "gpu_worker.InstanceTyp", "did you mean InstanceType?"),
        (["InstanceMarketOptions", "Markettype"], "spot", "Markettype", "did you mean MarketType?"),
        (["BlockDeviceMappings", 0, "Ebs", "VolumSize"], 1, "VolumSize", "did you mean VolumeSize?"),
        (["InstanceMarketOptions", "MarketType"], "sport", "MarketType", "must be spot"),
        (["InstanceType"], "g5", "gpu_worker.InstanceType", "must be a type of instance"),
        (["ImageId"], "ubuntu", "gpu_worker.ImageId", "must be an image"),
        (["SecurityGroupIds"], ["default"], "gpu_worker.SecurityGroupIds", "but is default"),
    ],
)
def test_a_mistake_in_a_node_is_named_with_its_place(
    root: Path, place: list[Any], value: Any, name: str, text: str
) -> None:
    config = copy.deepcopy(filled(root))
    node = copy.deepcopy(config["available_node_types"]["gpu_worker"]["node_config"])
    part = node
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    config["available_node_types"]["gpu_worker"]["node_config"] = node
    wrong = [one for one in aws_node_types(config) if one.state == "failed"]
    assert len(wrong) == 1
    assert wrong[0].name.endswith(name)
    assert text in wrong[0].value


def test_a_node_needs_an_image_and_a_type_unless_a_template_has_them(root: Path) -> None:
    config = copy.deepcopy(filled(root))
    node = config["available_node_types"]["head"]["node_config"]
    del node["ImageId"], node["InstanceType"]
    wrong = [one.name for one in aws_node_types(config) if one.state == "failed"]
    assert wrong == ["head.InstanceType", "head.ImageId"]
    node["LaunchTemplate"] = {"LaunchTemplateName": "mine"}
    assert not [one for one in aws_node_types(config) if one.state == "failed"]


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ({"type": "aws", "region": "eu-central-1", "availabilty_zone": "a"}, "provider.availabilty_zone"),
        ({"type": "aws", "region": "Frankfurt"}, "provider.region"),
        ({"type": "aws"}, "provider.region"),
        ({"type": "local", "head_ip": "a", "workers_ips": []}, "provider.workers_ips"),
    ],
)
def test_a_mistake_in_the_provider_is_named(provider: dict[str, Any], name: str) -> None:
    (found,) = provider_keys({"provider": provider})
    assert (found.state, found.name) == ("failed", name)


def test_of_other_clouds_it_says_that_only_the_schema_was_checked() -> None:
    (found,) = provider_keys({"provider": {"type": "gcp", "project_id": "p"}})
    assert found.state == "warning"


def test_below_a_key_that_may_hold_anything_nothing_is_unknown() -> None:
    assert not list(unknown_keys({"Placement": {"anything": [{"at": "all"}]}}, AWS_NODE_KEYS, "a"))
