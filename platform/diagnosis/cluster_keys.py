"""Keys and values of a cluster file that Ray's schema leaves open: the provider's, and those of AWS nodes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from platform.diagnosis.cluster_blanks import is_blank
from platform.diagnosis.finding import Finding

Known = Mapping[str, "Known | None"]
"""Name of a key to the keys below it; None: anything is allowed there."""


def _leaves(names: str) -> dict[str, Known | None]:
    return dict.fromkeys(names.split())


PROVIDER_KEYS: Mapping[str, Known] = {
    "aws": _leaves(
        "type region availability_zone cache_stopped_nodes use_internal_ips key_pair aws_credentials "
        "cloudwatch disable_node_updaters"
    )
    | {"security_group": _leaves("GroupName IpPermissions")},
    "local": _leaves(
        "type head_ip worker_ips external_head_ip coordinator_address use_internal_ips disable_node_updaters"
    ),
}
"""Read in Ray 2.60's providers; each takes any other key without a word."""

AWS_NODE_KEYS: Known = _leaves(
    "AdditionalInfo CapacityReservationSpecification ClientToken CpuOptions CreditSpecification "
    "DisableApiStop DisableApiTermination EbsOptimized EnablePrimaryIpv6 EnclaveOptions HibernationOptions "
    "ImageId InstanceInitiatedShutdownBehavior InstanceType Ipv6AddressCount Ipv6Addresses KernelId KeyName "
    "LaunchTemplate LicenseSpecifications MaintenanceOptions Monitoring NetworkInterfaces "
    "NetworkPerformanceOptions Placement PrivateDnsNameOptions PrivateIpAddress RamdiskId SecurityGroupIds "
    "SecurityGroups SubnetId SubnetIds TagSpecifications UserData"
) | {
    "IamInstanceProfile": _leaves("Arn Name"),
    "MetadataOptions": _leaves(
        "HttpEndpoint HttpProtocolIpv6 HttpPutResponseHopLimit HttpTokens InstanceMetadataTags"
    ),
    "InstanceMarketOptions": _leaves("MarketType")
    | {
        "SpotOptions": _leaves(
            "BlockDurationMinutes InstanceInterruptionBehavior MaxPrice SpotInstanceType ValidUntil"
        )
    },
    "BlockDeviceMappings": _leaves("DeviceName NoDevice VirtualName")
    | {
        "Ebs": _leaves(
            "DeleteOnTermination Encrypted Iops KmsKeyId SnapshotId Throughput VolumeSize VolumeType"
        )
    },
}
"""What EC2's RunInstances takes, and Ray's own SubnetIds. Below a list: the keys of each of its members."""

FORMS: Mapping[str, tuple[str, str]] = {
    "InstanceType": (r"[a-z][a-z0-9-]*\.[a-z0-9-]+", "a type of instance, e.g. g5.2xlarge"),
    "ImageId": (r"ami-[0-9a-f]{8,17}|resolve:ssm:/.+", "an image (ami-...) or resolve:ssm:/..."),
    "MarketType": ("spot|capacity-block", "spot (leave InstanceMarketOptions out for on-demand)"),
    "region": (r"[a-z]{2}(-[a-z]+)+-\d", "a region, e.g. eu-central-1"),
    "SecurityGroupIds": ("sg-[0-9a-f]{8,17}", "a security group (sg-...)"),
}
"""Of a key of AWS: what its texts look like, as an expression and in words."""


def provider_keys(config: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether Ray's provider reads every key given for it."""
    provider = config["provider"]
    kind = provider["type"]
    if kind not in PROVIDER_KEYS:
        value = f"{kind}: its keys are not known here, only Ray's schema was checked"
        yield Finding("warning", "provider", value, "compare them with Ray's example for it")
        return
    wrong = [*unknown_keys(provider, PROVIDER_KEYS[kind], "provider")]
    if kind == "aws":
        wrong += wrong_forms(provider, "provider")
        if "region" not in provider:
            wrong.append(Finding("failed", "provider.region", f"is missing: {FORMS['region'][1]}"))
    yield from wrong or [Finding("ok", "provider", _said(provider))]


def aws_node_types(config: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether EC2 knows every key of every node type, and values have the form that it expects."""
    for name, node_type in config["available_node_types"].items():
        node = node_type["node_config"]
        wrong = [*unknown_keys(node, AWS_NODE_KEYS, name), *wrong_forms(node, name)]
        wrong += [
            Finding("failed", f"{name}.{key}", f"is missing: {FORMS[key][1]}")
            for key in ("InstanceType", "ImageId")
            if key not in node and "LaunchTemplate" not in node
        ]
        spot = node.get("InstanceMarketOptions", {}).get("MarketType") == "spot"
        most = node_type.get("max_workers", config.get("max_workers", 0))
        count = "the head" if name == config["head_node_type"] else f"at most {most}"
        shown = f"{count}, {node.get('InstanceType')}, {'spot' if spot else 'on-demand'}"
        yield from wrong or [Finding("ok", name, shown)]


def unknown_keys(value: Any, known: Known | None, where: str) -> Iterator[Finding]:
    """A finding for every key below `value` that is not one of the `known`."""
    if known is None:
        return
    if isinstance(value, list):
        for part in value:
            yield from unknown_keys(part, known, where)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            if key in known:
                yield from unknown_keys(part, known[key], f"{where}.{key}")
            else:
                yield Finding(
                    "failed", f"{where}.{key}", f"is no key that is known there{nearest(key, known)}"
                )


def wrong_forms(value: Any, where: str, key: str = "") -> Iterator[Finding]:
    """A finding for every filled-in text whose key has another form in FORMS."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from wrong_forms(part, f"{where}.{name}", str(name))
    elif isinstance(value, list):
        for part in value:
            yield from wrong_forms(part, where, key)
    elif key in FORMS and not is_blank(value):
        form, words = FORMS[key]
        if not isinstance(value, str) or not re.fullmatch(form, value):
            yield Finding("failed", where, f"must be {words}, but is {value}")


def nearest(name: str, known: Collection[str]) -> str:
    """`; did you mean ...?`, or nothing where no known name is near."""
    found = difflib.get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _said(provider: Mapping[str, Any]) -> str:
    if provider["type"] == "aws":
        region = provider["region"]
        return "aws" if is_blank(region) else f"aws, {region}"
    return f"machines of your own, {len(provider.get('worker_ips', ()))} of them workers"
