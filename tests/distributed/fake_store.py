"""A control store of a Ray cluster that answers as it is told, and other things that listen on a port."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

NODE = "ab" * 28


@dataclass
class FakeStore:
    """What it answers; `asked` holds the methods that were called."""

    token: str = ""
    ray: str = "2.60.0"
    python: str = "3.11.7"
    cluster_id: bytes = b"one"
    nodes: list[dict[str, Any]] = field(default_factory=list)
    values: dict[bytes, bytes] = field(default_factory=dict)
    knows: bool = True
    """False: a server of other questions, such as Ray's client."""
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def answer(self, method: str, request: bytes) -> bytes:
        """The serialized reply."""
        from ray.core.generated import gcs_service_pb2

        messages: Any = gcs_service_pb2
        if method == "GetClusterId":
            reply = messages.GetClusterIdReply(cluster_id=self.cluster_id)
        elif method == "GetAllNodeInfo":
            reply = messages.GetAllNodeInfoReply()
            for node in self.nodes:
                given = {name: value for name, value in node.items() if name != "resources"}
                made = reply.node_info_list.add(**{"node_id": bytes.fromhex(NODE), **given})
                made.resources_total.update(node.get("resources", {}))
        else:
            key = messages.InternalKVGetRequest.FromString(request).key
            versions = json.dumps({"ray_version": self.ray, "python_version": self.python}).encode()
            held = {b"CLUSTER_METADATA": versions, **self.values}
            reply = messages.InternalKVGetReply(value=held.get(key, b""))
        return bytes(reply.SerializeToString())


@contextmanager
def serving(store: FakeStore, port: int = 0) -> Iterator[FakeStore]:
    """The store behind a port of this machine."""
    import grpc

    class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, details: Any) -> Any:
            if not store.knows:
                return None

            def answer(request: bytes, context: Any) -> bytes:
                sent = dict(context.invocation_metadata()).get("authorization", "")
                if store.token and sent != f"Bearer {store.token}":
                    context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidAuthToken")
                store.asked.append(details.method)
                return store.answer(details.method.rpartition("/")[2], request)

            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[Handler()])
    store.port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield store
    finally:
        server.stop(None).wait()


@contextmanager
def listening(answer: bytes = b"") -> Iterator[int]:
    """The port of something that accepts connections and says `answer`, or nothing for ever."""
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                if answer:
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


def free_port() -> int:
    """A port of this machine at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
