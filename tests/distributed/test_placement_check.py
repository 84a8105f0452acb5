"""What no node of a cluster could ever run is refused, with both sides named."""

from __future__ import annotations

import pytest

from platform.config.configuration import Plan
from platform.distributed.control_store import StoreNode
from platform.distributed.node_types import NodeType
from platform.distributed.placement_check import kinds_of, refuse_impossible
from platform.errors import UserError


def node(host: str, type_name: str = "", **resources: float) -> StoreNode:
    return StoreNode(node_id=host, host=host, ip="10.0.0.1", port=1, resources=resources, type_name=type_name)


def kind(name: str, most: int = 1, **resources: float) -> NodeType:
    return NodeType(name=name, resources=resources, most=most)


HEAD = node("head", CPU=0)
SMALL = node("small", CPU=4)
LARGE = node("large", CPU=16, GPU=2)
TYPE = kind("gpu", 8, CPU=8, GPU=1)


@pytest.mark.parametrize(
    ("plan", "up", "types"),
    [
        (Plan(), [SMALL], []),
        (Plan(cpus_per_run=16), [HEAD, SMALL, LARGE], []),
        (Plan(gpus_per_run=2), [SMALL, LARGE], []),
        (Plan(gpus_per_run=0.25), [LARGE], []),
        (Plan(gpus_per_run=1), [HEAD], [TYPE]),  # the autoscaler adds a node
        (Plan(gpus_per_run=1, train_workers=8), [HEAD], [TYPE]),
        (Plan(cpus_per_run=4, train_workers=5), [SMALL, LARGE], []),  # on both nodes
        (Plan(gpus_per_run=1, train_workers=3), [LARGE, node("second", CPU=8, GPU=1)], []),
        (Plan(gpus_per_run=99), [HEAD], [kind("own machines", 2)]),  # not known before they are up
        (Plan(cpus_per_run=8), [HEAD, node("own", "own machines", CPU=8)], [kind("own machines", 2)]),
    ],
)
def test_what_a_node_could_run_is_not_refused(plan: Plan, up: list[StoreNode], types: list[NodeType]) -> None:
    refuse_impossible(plan, up, types, "auto")


@pytest.mark.parametrize(
    ("plan", "up", "types", "said"),
    [
        (
            Plan(gpus_per_run=4),
            [HEAD, LARGE, LARGE],
            [TYPE],
            "a fold run needs 1 CPU and 4 GPUs on one node, but no node of the cluster at auto has as much: "
            "its nodes have 2 × 16 CPUs and 2 GPUs; 0 CPUs, and its autoscaler may add gpu (8 CPUs and 1 "
            "GPU); pass --gpus-per-run 2 or less, or add such a node.",
        ),
        (
            Plan(cpus_per_run=32),
            [SMALL, LARGE],
            [],
            "needs 32 CPUs on one node, but no node of the cluster at auto has as much: its nodes have 4 "
            "CPUs; 16 CPUs and 2 GPUs, and no autoscaler adds further ones; pass --cpus-per-run 16 or fewer",
        ),
        (Plan(gpus_per_run=0.5), [SMALL], [], "1 CPU and 0.5 GPU on one node"),
        (Plan(gpus_per_run=1), [SMALL], [], "pass --gpus-per-run 0 to train on CPUs"),
        (Plan(cpus_per_run=8, gpus_per_run=1), [SMALL, node("g", CPU=2, GPU=1)], [], "--cpus-per-run 2 or"),
        (
            Plan(gpus_per_run=2, train_workers=3),
            [SMALL, node("g", CPU=2, GPU=1)],
            [],
            "1 CPU and 2 GPUs on one node for each of 3 Train workers",
        ),
        (
            Plan(gpus_per_run=1, train_workers=9),
            [HEAD],
            [TYPE],
            "for each of 9 Train workers, but the cluster at auto has room for 8: its nodes have 0 CPUs, and "
            "its autoscaler may add gpu (8 CPUs and 1 GPU); pass --train-workers 8 or fewer, or add nodes.",
        ),
        (Plan(), [HEAD], [], "start nodes that offer CPUs first (a head of `ray start --num-cpus=0` runs no"),
        (Plan(), [], [], "its nodes have none, and"),
        (Plan(cpus_per_run=16), [node("own", "local", CPU=8)], [kind("local", 2)], "--cpus-per-run 8"),
    ],
)
def test_what_none_could_run_is_refused_with_both_sides(
    plan: Plan, up: list[StoreNode], types: list[NodeType], said: str
) -> None:
    with pytest.raises(UserError) as error:
        refuse_impossible(plan, up, types, "auto")
    assert said in str(error.value)


def test_a_node_that_is_up_counts_in_the_most_of_its_type() -> None:
    up = [HEAD, node("a", "gpu", CPU=8, GPU=1), node("b", "other", CPU=2)]
    assert [(one.name, one.most) for one in kinds_of(up, [TYPE])] == [("head", 1), ("b", 1), ("gpu", 8)]


def test_many_kinds_are_not_all_named() -> None:
    up = [node(f"n{count}", CPU=count) for count in range(1, 12)]
    with pytest.raises(UserError, match="and 5 more kinds"):
        refuse_impossible(Plan(cpus_per_run=64), up, [], "auto")
