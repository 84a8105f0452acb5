"""Memory that tasks ask of Ray: what they need, cut to what a node has, so that each can be placed."""

from __future__ import annotations

from typing import Any

import pytest

from platform.distributed.cluster_nodes import listing_of_ray
from platform.distributed.node_memory import REMEMBERED_SECONDS, NodeMemory

GIB = 2**30
HEAD = {"CPU": 0.0, "memory": 100.0 * GIB}
SMALL = {"CPU": 4.0, "memory": 8.0 * GIB}
LARGE = {"CPU": 8.0, "GPU": 1.0, "memory": 30.0 * GIB}


def memory(
    up: list[dict[str, float]], types: list[dict[str, float]] | None = None, **needs: float
) -> NodeMemory:
    at_once = int(needs.pop("at_once", 1))
    asked = {"cpus": 1.0, "gpus": 0.0, **needs}
    return NodeMemory(**asked, at_once=at_once, nodes=lambda: (up, types or []))


@pytest.mark.parametrize(
    ("made", "needed", "wanted"),
    [
        (memory([SMALL, LARGE]), 10, 10),
        (memory([SMALL]), 10, 8),
        (memory([HEAD, SMALL]), 10, 8),  # the head has no CPU for it
        (memory([SMALL, LARGE], gpus=0.5), 40, 30),
        (memory([SMALL], [LARGE], gpus=1.0), 40, 24),  # 0.8 of what the type states
        (memory([SMALL], [LARGE]), 10, 10),
        (memory([SMALL], cpus=8.0), 10, 0),
        (memory([{"CPU": 4.0}]), 10, 0),
        (memory([SMALL], [{"CPU": 4.0}]), 10, 0),  # for which the autoscaler would start none of the type
        (memory([SMALL], [{}]), 10, 8),
        (memory([SMALL], at_once=4), 10, 2),
        (memory([SMALL], at_once=4), 1, 1),
    ],
)
def test_a_request_is_what_is_needed_but_no_more_than_a_node_could_give(
    made: NodeMemory, needed: float, wanted: float
) -> None:
    assert made.request(int(needed * GIB)) == int(wanted * GIB)


def test_nodes_are_asked_again_after_a_while() -> None:
    now, asked = [0.0], [0]

    def nodes() -> tuple[list[dict[str, float]], list[dict[str, float]]]:
        asked[0] += 1
        return [SMALL if asked[0] == 1 else LARGE], []

    made = NodeMemory(1, 0, 1, nodes=nodes, clock=lambda: now[0])
    assert [made.request(100 * GIB) for _ in range(3)] == [8 * GIB] * 3
    now[0] = REMEMBERED_SECONDS + 1
    assert made.request(100 * GIB) == 30 * GIB
    assert asked == [2]


@pytest.mark.ray
@pytest.mark.timeout(300)
def test_a_task_that_needs_more_than_the_machine_has_is_placed_all_the_same(cluster: Any) -> None:
    import ray

    listing = listing_of_ray()
    up = [node.resources for node in listing.nodes]
    assert len(up) == 1
    assert listing.types == ()
    wanted = NodeMemory(1, 0, at_once=2, nodes=lambda: (up, [])).request(10_000 * GIB)
    assert wanted <= up[0]["memory"] / 2

    @ray.remote(num_cpus=1)
    def held() -> float:
        return float(ray.get_runtime_context().get_assigned_resources()["memory"])

    both = [held.options(memory=wanted).remote() for _ in range(2)]
    assert ray.get(both, timeout=120) == [wanted] * 2
