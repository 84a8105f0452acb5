"""Questions to a control store: what comes back, and what each silence means."""

from __future__ import annotations

import pytest

from platform.distributed.control_store import (
    ControlStore,
    ControlStoreError,
    NoAnswer,
    NothingListens,
    NotTheStore,
    TokenRefused,
    UnknownHost,
    check_listens,
)
from tests.distributed.fake_store import NODE, FakeStore, free_port, listening, serving

SECRET = "0123456789abcdef" * 4


def asked(port: int, token: str = "", host: str = "127.0.0.1") -> ControlStore:
    return ControlStore(host, port, token, timeout_seconds=1.0)


def test_a_store_answers_what_a_probe_asks() -> None:
    gpu = {"node_manager_hostname": "far", "node_manager_address": "10.0.0.2", "resources": {"CPU": 8.0}}
    dead = {"node_manager_hostname": "dead", "state": 1}
    with serving(FakeStore(token=SECRET, nodes=[gpu, dead], values={b"key": b"value"})) as fake:
        store = asked(fake.port, SECRET)
        assert store.cluster_id() == b"one"
        assert store.versions() == ("2.60.0", "3.11.7")
        assert store.value(b"key", b"space") == b"value"
        assert store.value(b"other", b"space") == b""
        (node,) = store.nodes()
        assert (node.node_id, node.host, node.ip, node.resources) == (NODE, "far", "10.0.0.2", {"CPU": 8.0})
        for token in ("", "f" * 64):
            with pytest.raises(TokenRefused):
                asked(fake.port, token).cluster_id()
    with serving(FakeStore(values={b"CLUSTER_METADATA": b"no JSON"})) as fake:
        assert asked(fake.port).versions() is None


def raised(store: ControlStore) -> ControlStoreError:
    with pytest.raises(ControlStoreError) as error:
        store.cluster_id()
    return error.value


def test_what_is_no_store_is_told_from_what_is_silent() -> None:
    assert isinstance(raised(asked(free_port())), NothingListens)
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert isinstance(raised(asked(port)), NotTheStore)
    with listening() as port:
        assert isinstance(raised(asked(port)), NoAnswer)
    with serving(FakeStore(knows=False)) as fake:
        assert isinstance(raised(asked(fake.port)), NotTheStore)
    assert isinstance(raised(asked(6379, host="no-such-host.invalid")), UnknownHost)


def test_a_listener_is_found_by_name_and_by_number() -> None:
    with listening() as port:
        assert check_listens("127.0.0.1", port) == f"127.0.0.1:{port}"
        assert check_listens("localhost", port).endswith(f":{port}")


def test_the_token_is_in_no_text_of_the_store() -> None:
    store = asked(free_port(), SECRET)
    assert SECRET not in repr(store) + store.address + str(raised(store))
    assert ControlStore("::1", 6379).address == "[::1]:6379"
