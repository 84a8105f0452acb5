"""Node types that the autoscaler of a Ray cluster may add.

Ray's control store holds them only where something has reported them, which the open-source autoscaler does
not do. So they are also read from the file that the autoscaler's process on the head was started with.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platform.errors import UserError
from platform.files.yaml_files import read_yaml

CONFIG_FLAG = "--autoscaling-config="
STORE_FLAG = "--gcs-address="
REPORTED_KEY, REPORTED_NAMESPACE = b"__autoscaler_cluster_config", b"__autoscaler"
"""Of the control store: where an autoscaler may have reported its node types."""
UNLIMITED = 1000
"""Nodes of a type of which the autoscaler may start any number."""


@dataclass(frozen=True, kw_only=True)
class NodeType:
    """A type of node that the autoscaler may start."""

    name: str
    resources: Mapping[str, float]
    """As Ray names them; empty: unknown until a node of the type is up (own machines)."""
    most: int
    """Of it at once, those that are up among them."""


def startable_types(reported: bytes, files: Iterable[Path]) -> tuple[NodeType, ...]:
    """The node types of the autoscaler; empty without one, or where it cannot be seen from this machine.

    reported: what the control store holds. files: configurations of autoscalers on this machine.
    """
    if reported:
        return types_reported(reported)
    for path in files:
        try:
            found = read_yaml(path)
        except UserError:
            continue  # `ray down` removes it
        return types_in(found if isinstance(found, dict) else {})
    return ()


def types_reported(reported: bytes) -> tuple[NodeType, ...]:
    """From Ray's ClusterConfig as it is serialized in the control store."""
    from ray.core.generated import autoscaler_pb2

    messages: Any = autoscaler_pb2
    return tuple(
        NodeType(
            name=group.name,
            resources={name: float(amount) for name, amount in group.resources.items()},
            most=UNLIMITED if group.max_count < 0 else group.max_count,
        )
        for group in messages.ClusterConfig.FromString(reported).node_group_configs
        if group.max_count
    )


def types_in(config: Mapping[str, Any]) -> tuple[NodeType, ...]:
    """From the content of a file for `ray up`, as it lies on the head."""
    limit = config.get("max_workers", UNLIMITED)
    found = []
    for name, one in (config.get("available_node_types") or {}).items():
        of_head = name == config.get("head_node_type")
        most = min(int(one.get("max_workers", 0 if of_head else limit)), int(limit))
        if most > 0:
            resources = {key: float(amount) for key, amount in (one.get("resources") or {}).items()}
            found.append(NodeType(name=name, resources=resources, most=most))
    return tuple(found)


def autoscaler_files(port: int, commands: Callable[[], Iterable[Sequence[str]]] | None = None) -> list[Path]:
    """Configuration files of the autoscalers on this machine whose control store listens on `port`.

    commands: command lines of the processes of this machine.
    """
    found = []
    for command in (commands or _commands)():
        stores = [word for word in command if word.startswith(STORE_FLAG) and word.endswith(f":{port}")]
        files = [word.removeprefix(CONFIG_FLAG) for word in command if word.startswith(CONFIG_FLAG)]
        if stores and files:
            found.append(Path(files[0]).expanduser())
    return found


@functools.cache
def autoscaler_files_once(port: int) -> list[Path]:
    """As `autoscaler_files`, looked for once in this process: an autoscaler starts and ends with its head."""
    return autoscaler_files(port)


def _commands() -> Iterable[Sequence[str]]:
    from ray._private.services import psutil  # the copy that Ray brings

    for process in psutil.process_iter(["cmdline"]):
        yield process.info["cmdline"] or ()
