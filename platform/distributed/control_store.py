"""Questions to the control store (gcs_server) of a Ray cluster, asked by gRPC of our own.

Ray's own client retries an unreachable store for minutes, prints lines of C++ and ends the process after
60 s. These questions are answered within TIMEOUT_SECONDS, or raise an error that says why not.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from platform.errors import UserError
from platform.files.json_files import parse_json

TIMEOUT_SECONDS = 4.0
"""For each of: the address of a name, a connection, an answer."""
NODE_SERVICE = "/ray.rpc.NodeInfoGcsService/"
VALUE_SERVICE = "/ray.rpc.InternalKVGcsService/"


class ControlStoreError(Exception):
    """The control store gave no answer; says why, as a clause."""


class UnknownHost(ControlStoreError):
    """The name of its host has no address."""


class NothingListens(ControlStoreError):
    """The connection was refused."""


class NoAnswer(ControlStoreError):
    """Nothing came back in time: a firewall, a lost network, a process that hangs."""


class NotTheStore(ControlStoreError):
    """What listens there is no control store."""


class TokenRefused(ControlStoreError):
    """The token is missing or wrong."""


@dataclass(frozen=True, kw_only=True)
class StoreNode:
    """A node that is alive, as the control store knows it."""

    node_id: str
    """Hexadecimal."""
    host: str
    ip: str
    port: int
    """Of its node manager (raylet)."""
    resources: Mapping[str, float]
    type_name: str = ""
    """Of the autoscaler's node types; empty if it started without one."""
    is_head: bool = False


@dataclass(frozen=True)
class ControlStore:
    """A control store at an address, which needs no connection of Ray's."""

    host: str
    port: int
    token: str = field(default="", repr=False)
    """Empty: none is sent."""
    timeout_seconds: float = TIMEOUT_SECONDS

    @property
    def address(self) -> str:
        """As Ray takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def cluster_id(self) -> bytes:
        """Of the cluster that answers: a restarted head is another cluster."""
        reply = self._call(NODE_SERVICE + "GetClusterId", _messages().GetClusterIdRequest())
        return bytes(reply.cluster_id)

    def versions(self) -> tuple[str, str] | None:
        """Versions of Ray and Python that the head was started with; None if it does not say."""
        try:
            found = parse_json(self.value(b"CLUSTER_METADATA", b"cluster"), "the cluster's versions")
            return str(found["ray_version"]), str(found["python_version"])
        except (UserError, KeyError, TypeError):
            return None

    def value(self, key: bytes, namespace: bytes) -> bytes:
        """What is stored under the key; empty: nothing."""
        request = _messages().InternalKVGetRequest(key=key, namespace=namespace)
        return bytes(self._call(VALUE_SERVICE + "InternalKVGet", request).value)

    def nodes(self) -> list[StoreNode]:
        """The nodes that are alive."""
        reply = self._call(NODE_SERVICE + "GetAllNodeInfo", _messages().GetAllNodeInfoRequest())
        return [
            StoreNode(
                node_id=node.node_id.hex(),
                host=node.node_manager_hostname,
                ip=node.node_manager_address,
                port=node.node_manager_port,
                resources=dict(node.resources_total),
                type_name=node.node_type_name,
                is_head=node.is_head_node,
            )
            for node in reply.node_info_list
            if not node.state  # 0: alive
        ]

    def _call(self, path: str, request: Any) -> Any:
        """The reply. A ControlStoreError: there is none."""
        # Ray's workers inherit nothing of it: it silences this process's own client.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        import grpc

        target = check_listens(self.host, self.port, self.timeout_seconds)
        kind = getattr(_messages(), type(request).__name__.replace("Request", "Reply"))
        with _channel(target) as channel:
            ask = channel.unary_unary(
                path,
                request_serializer=type(request).SerializeToString,
                response_deserializer=kind.FromString,
            )
            sent = [("authorization", f"Bearer {self.token}")] if self.token else []
            try:
                return ask(request, timeout=self.timeout_seconds, metadata=sent)
            except grpc.RpcError as error:
                raise _classified(error.code().name, self.timeout_seconds) from None


def _messages() -> Any:
    """Ray's own definitions of what is asked and answered."""
    from ray.core.generated import gcs_service_pb2

    return gcs_service_pb2


def _channel(target: str) -> Any:
    import grpc

    options = [("grpc.enable_http_proxy", 0)]
    if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):
        return grpc.insecure_channel(target, options=options)
    from ray._common.tls_utils import load_certs_from_env

    certificate, key, authority = load_certs_from_env()
    return grpc.secure_channel(
        target,
        grpc.ssl_channel_credentials(
            certificate_chain=certificate, private_key=key, root_certificates=authority
        ),
        options=options,
    )


def _classified(code: str, timeout_seconds: float) -> ControlStoreError:
    """The error for a gRPC status by name; the message of gRPC itself is not repeated."""
    if code == "UNAUTHENTICATED":
        return TokenRefused("the token is missing or wrong")
    if code == "DEADLINE_EXCEEDED":
        return NoAnswer(f"a connection is accepted, but nothing answers within {timeout_seconds:g} s")
    return NotTheStore("what listens there is no control store of Ray")


def check_listens(host: str, port: int, timeout_seconds: float = TIMEOUT_SECONDS) -> str:
    """The address, with the number of the host, at which something accepts a TCP connection.

    UnknownHost, NothingListens, NoAnswer: why nothing does.
    """
    refused: OSError | None = None
    for family, kind, protocol, _, where in _addresses(host, port, timeout_seconds):
        try:
            with socket.socket(family, kind, protocol) as connection:
                connection.settimeout(timeout_seconds)
                connection.connect(where)
                number = where[0]
                return f"[{number}]:{port}" if family == socket.AF_INET6 else f"{number}:{port}"
        except OSError as error:
            refused = error
    if isinstance(refused, ConnectionRefusedError):
        raise NothingListens("nothing listens there")
    if isinstance(refused, TimeoutError):
        raise NoAnswer(f"no connection within {timeout_seconds:g} s (a firewall, or the host is down)")
    raise NoAnswer(f"no connection ({getattr(refused, 'strerror', '') or refused})")


def _addresses(host: str, port: int, timeout_seconds: float) -> Sequence[Any]:
    """As getaddrinfo, which has no time limit of its own."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def look() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=look, name="name of the control store", daemon=True).start()
    try:
        found = answers.get(timeout=timeout_seconds)
    except queue.Empty:
        raise UnknownHost(f"no name server answered within {timeout_seconds:g} s") from None
    if isinstance(found, Exception):
        raise UnknownHost(f"the name {host!r} has no address")
    return list(found)[:2]
