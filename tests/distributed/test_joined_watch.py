"""The watch over a cluster that was joined: certain losses, and what may come back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from platform.distributed.connection_probe import Reached
from platform.distributed.control_store import ControlStore, StoreNode
from platform.distributed.joined_watch import REFUSED_SECONDS, SILENT_SECONDS, JoinedCluster
from tests.distributed.fake_store import FakeStore, free_port, listening, serving


@pytest.fixture
def node_port() -> Iterator[int]:
    with listening() as port:
        yield port


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def joined(port: int, node_port: int, clock: Clock) -> JoinedCluster:
    node = StoreNode(node_id="ab", host="here", ip="127.0.0.1", port=node_port, resources={})
    reached = Reached(
        words="auto",
        address=f"127.0.0.1:{port}",
        store=ControlStore("127.0.0.1", port, timeout_seconds=0.5),
        cluster_id=b"one",
        nodes=(node,),
        startable=(),
        own_node=node,
    )
    return JoinedCluster(reached, clock, clock.sleep)


def test_a_cluster_that_answers_is_not_lost(node_port: int) -> None:
    with serving(FakeStore()) as store:
        watch = joined(store.port, node_port, Clock())
        assert watch.lost() is None
        assert watch.conclusion() is None


def test_a_store_that_is_gone_is_lost_after_a_while_and_may_come_back_before(node_port: int) -> None:
    clock = Clock()
    with serving(FakeStore()) as store:
        watch = joined(store.port, node_port, clock)
    assert watch.lost() is None
    clock.now = REFUSED_SECONDS - 1
    assert watch.lost() is None
    with serving(FakeStore(), store.port):
        assert watch.lost() is None, "it came back"
    clock.now = 100.0
    assert watch.lost() is None, "counted anew"
    assert "the control store of the Ray cluster at auto is gone (nothing listens" in str(watch.conclusion())
    assert clock.now == pytest.approx(100 + REFUSED_SECONDS, abs=2)
    assert watch.lost() is watch.found


def test_a_store_that_is_silent_is_given_longer(node_port: int) -> None:
    clock = Clock()
    with listening() as port:
        watch = joined(port, node_port, clock)
        assert watch.lost() is None
        clock.now = REFUSED_SECONDS + 1
        assert watch.lost() is None
        clock.now = SILENT_SECONDS
        assert "but nothing answers within" in str(watch.lost())


def test_another_cluster_at_the_address_is_a_loss(node_port: int) -> None:
    with serving(FakeStore(cluster_id=b"two")) as store:
        assert "was started again" in str(joined(store.port, node_port, Clock()).lost())


def test_a_lost_node_manager_is_a_loss_at_the_second_look() -> None:
    with serving(FakeStore()) as store:
        watch = joined(store.port, free_port(), Clock())
        assert watch.lost() is None
        assert "raylet) of this machine, here, has left the Ray cluster" in str(watch.lost())
    both = joined(free_port(), free_port(), Clock())
    assert both.lost() is None
    assert "control store" in str(both.conclusion()), "without it there is nothing to wait for"
    assert dataclasses.is_dataclass(both)
