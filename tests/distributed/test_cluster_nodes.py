"""The cluster's nodes: who comes and goes, how many tasks fit, and who gets none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from platform.config.configuration import Plan
from platform.distributed.cluster_nodes import ClusterNodes, Listing, Node, NodeType, workers_on

GIB = 2**30


def node(name: str, **resources: float) -> Node:
    return Node(id=name, host=f"host-{name}", resources=resources)


def nodes(*up: Node, types: tuple[NodeType, ...] = ()) -> ClusterNodes:
    made = ClusterNodes()
    made.take(Listing(nodes=up, types=types))
    return made


@pytest.mark.parametrize(
    ("resources", "plan", "count"),
    [
        ({"CPU": 8}, Plan(), 8),
        ({"CPU": 8}, Plan(cpus_per_run=3), 2),
        ({"CPU": 0, "GPU": 4}, Plan(gpus_per_run=1), 0),  # a head without CPUs
        ({"CPU": 64, "GPU": 4}, Plan(gpus_per_run=1), 4),
        ({"CPU": 64, "GPU": 4}, Plan(gpus_per_run=2), 2),
        ({"CPU": 64, "GPU": 4}, Plan(gpus_per_run=0.5), 8),
        ({"CPU": 64, "GPU": 4}, Plan(gpus_per_run=0.3), 12),  # no run is spread over two GPUs
        ({"CPU": 64, "GPU": 1}, Plan(gpus_per_run=0.1), 10),
        ({"CPU": 2, "GPU": 4}, Plan(gpus_per_run=0.5), 2),
        ({"CPU": 64}, Plan(gpus_per_run=1), 0),
        ({}, Plan(), 0),
    ],
)
def test_runs_on_a_node_by_its_cpus_and_gpus(resources: Mapping[str, float], plan: Plan, count: int) -> None:
    assert workers_on(resources, plan) == count


def test_memory_counts_where_a_node_states_it() -> None:
    assert workers_on({"CPU": 8, "memory": 10 * GIB}, Plan(), 4 * GIB) == 2
    assert workers_on({"CPU": 8}, Plan(), 4 * GIB) == 8


def test_slots_are_those_of_all_usable_nodes() -> None:
    made = nodes(node("a", CPU=8), node("b", CPU=4), node("head", CPU=0))
    assert made.slots(Plan(cpus_per_run=2)) == 6
    assert made.slots_of_node(Plan(cpus_per_run=2)) == {"a": 4, "b": 2, "head": 0}
    made.exclude("a", "its clock is an hour off")
    assert made.slots(Plan(cpus_per_run=2)) == 2


def test_train_workers_of_a_run_may_be_on_several_nodes() -> None:
    made = nodes(node("a", CPU=3), node("b", CPU=3))
    assert made.slots(Plan(train_workers=2)) == 3
    assert made.slots(Plan(train_workers=7)) == 0


def test_the_reach_counts_what_the_autoscaler_may_start() -> None:
    gpu = NodeType(name="gpu", resources={"CPU": 8, "GPU": 1}, most=8)
    made = nodes(node("head", CPU=0), types=(gpu, NodeType(name="head", resources={"CPU": 0}, most=1)))
    plan = Plan(gpus_per_run=0.5)
    assert (made.slots(plan), made.reach(plan)) == (0, 16)
    assert nodes(node("a", CPU=4)).reach(Plan()) == 4


def test_who_comes_and_goes_is_noted_but_not_who_was_there_first() -> None:
    noted: list[tuple[str, str, str]] = []
    made = ClusterNodes(note=lambda *event: noted.append(event))
    one, other = node("a", CPU=8), node("b", CPU=4, GPU=1)
    assert made.take(Listing(nodes=(one,)))
    assert not made.take(Listing(nodes=(one,)))
    made.exclude("a", "it lacks the data")
    assert made.take(Listing(nodes=(other,)))
    assert noted == [
        ("left", "host-a", "host-a (8 CPUs, 0 GPUs) left the cluster"),
        ("joined", "host-b", "host-b (4 CPUs, 1 GPUs) joined the cluster"),
    ]
    assert (made.hosts(), made.excluded, made.host("b"), made.host("a")) == ({"host-b"}, {}, "host-b", "")


def test_excluded_nodes_are_kept_out_by_their_labels() -> None:
    made = nodes(node("b", CPU=1), node("a", CPU=1), node("c", CPU=1))
    assert made.label_selector() == {}
    made.exclude("b", "")
    made.exclude("a", "")
    assert made.label_selector() == {"ray.io/node-id": "!in(a,b)"}


def test_nodes_are_listed_again_and_a_listing_that_fails_changes_nothing() -> None:
    listings = [Listing(nodes=(node("a", CPU=1),)), None, Listing(nodes=(node("b", CPU=1),))]
    seen: list[list[str]] = []

    def lists() -> Listing:
        found = listings.pop(0) if listings else Listing(nodes=(node("b", CPU=1),))
        if found is None:
            raise ConnectionError
        return found

    async def case() -> None:
        made = ClusterNodes(lists=lists)
        watching = asyncio.ensure_future(made.watch(lambda: seen.append(list(made.nodes)), 0.001))
        while len(seen) < 2 or listings:
            await asyncio.sleep(0.001)
        watching.cancel()

    asyncio.run(asyncio.wait_for(case(), 20))
    assert seen == [["a"], ["b"]]
