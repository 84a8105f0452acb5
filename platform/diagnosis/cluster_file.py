"""A cluster file for `ray up`, looked at without a network and without starting anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from platform.diagnosis.cluster_access import (
    aws_access,
    local_files,
    local_machines,
    ray_access,
    shared_folder,
)
from platform.diagnosis.cluster_blanks import blanks
from platform.diagnosis.cluster_keys import aws_node_types, provider_keys
from platform.diagnosis.finding import Check, Finding
from platform.distributed.cluster_schema import schema_complaint
from platform.errors import UserError
from platform.files.yaml_files import read_yaml

REMEDY = "name a file for `ray up`, e.g. ray_cluster.yaml"


def cluster_checks(path: Path, folder: Path | None = None) -> list[Check]:
    """The checks of the cluster file `path`.

    folder: the one in which `ray up` is run; None: this process's.
    Raises UserError as read_yaml does, and for a file that is no mapping.
    """
    config = read_yaml(path, remedy=REMEDY)
    if not isinstance(config, Mapping):
        raise UserError(f"{path} must hold the keys of a Ray cluster, but holds something else; {REMEDY}.")
    return [Check("cluster file", lambda: _looked_at(path.name, config, folder or Path.cwd()))]


def _looked_at(name: str, config: Mapping[str, Any], folder: Path) -> Iterator[Finding]:
    yield from blanks(name, config)
    complaint = schema_complaint(config)
    if complaint is not None:  # the rest reads keys that the schema promises
        key, text = complaint
        yield Finding("failed", key, f"{name}: {text}")
        return
    yield Finding("ok", "schema", f"as Ray {version('ray')} takes it")
    kind = config["provider"]["type"]
    yield from provider_keys(config)
    if kind == "aws":
        yield from aws_node_types(config)
        yield from aws_access(config)
    if kind == "local":
        yield from local_machines(config)
    yield from ray_access(config)
    yield from shared_folder(config)
    yield from local_files(config, folder)
