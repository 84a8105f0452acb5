"""Whether any node of a cluster could ever run a fold run, before the run waits for one for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from platform.config.configuration import Plan
from platform.distributed.cluster_nodes import workers_on
from platform.distributed.control_store import StoreNode
from platform.distributed.node_types import NodeType
from platform.errors import UserError

SHOWN = 6
"""Kinds of nodes named in a message."""


def refuse_impossible(plan: Plan, up: Sequence[StoreNode], startable: Sequence[NodeType], where: str) -> None:
    """UserError: no node that is up, and none that the autoscaler may add, could run a fold run of the plan.

    A fold run's Train workers may be on several nodes: each must fit on one, and all of them at once on all.
    """
    kinds = kinds_of(up, startable)
    if any(not kind.resources for kind in kinds):
        return  # own machines of `ray up`, whose resources are known once they are up
    workers = max(1, plan.train_workers)
    rooms = [workers_on(kind.resources, plan) * kind.most for kind in kinds]
    if sum(rooms) >= workers:
        return
    there = _described(up, startable)
    if not any(rooms):
        raise UserError(
            f"a fold run needs {on_one_node(plan)}, but no node of the cluster at {where} has as much: "
            f"{there}; {_remedy(plan, kinds)}."
        )
    most = int(sum(rooms))
    raise UserError(
        f"a fold run needs {_amounts(plan.cpus_per_run, plan.gpus_per_run)} for each of {workers} Train "
        f"workers, but the cluster at {where} has room for {most}: {there}; pass --train-workers {most} or "
        f"fewer, or add nodes."
    )


def on_one_node(plan: Plan) -> str:
    """What a fold run needs, e.g. `1 CPU and 2 GPUs on one node`."""
    each = f" for each of {plan.train_workers} Train workers" if plan.train_workers > 1 else ""
    return f"{_amounts(plan.cpus_per_run, plan.gpus_per_run)} on one node{each}"


def kinds_of(up: Sequence[StoreNode], startable: Sequence[NodeType]) -> list[NodeType]:
    """The nodes that may be there at once, by kind. Those up count in the most of their own type."""
    names = {one.name for one in startable}
    alone = [
        NodeType(name=node.host, resources=node.resources, most=1)
        for node in up
        if node.type_name not in names
    ]
    # One that is up says more than its type: a type of own machines states no resources.
    seen = {node.type_name: node.resources for node in up if node.type_name in names}
    types = [
        NodeType(name=one.name, resources=one.resources or seen.get(one.name, {}), most=one.most)
        for one in startable
    ]
    return [*alone, *types]


def _remedy(plan: Plan, kinds: Iterable[NodeType]) -> str:
    """What to pass or to add."""
    nodes = [kind.resources for kind in kinds]
    if not any(node.get("CPU", 0) >= 1 for node in nodes):
        return "start nodes that offer CPUs first (a head of `ray start --num-cpus=0` runs no fold run)"
    gpus = max((node.get("GPU", 0) for node in nodes if node.get("CPU", 0) >= 1), default=0)
    if plan.gpus_per_run > gpus:
        smaller = f"--gpus-per-run {gpus:g} or less" if gpus else "--gpus-per-run 0 to train on CPUs"
        return f"pass {smaller}, or add such a node"
    cpus = max(node.get("CPU", 0) for node in nodes if node.get("GPU", 0) >= plan.gpus_per_run)
    return f"pass --cpus-per-run {max(1, int(cpus))} or fewer, or add such a node"


def _described(up: Sequence[StoreNode], startable: Sequence[NodeType]) -> str:
    """Both: what is up, and what the autoscaler may add."""
    kinds = Counter(_offer(node.resources) for node in up)
    nodes = [f"{count} × {offer}" if count > 1 else offer for offer, count in kinds.most_common(SHOWN)]
    shown = "; ".join(nodes) or "none"
    more = f" and {len(kinds) - SHOWN} more kinds" if len(kinds) > SHOWN else ""
    types = ", ".join(f"{one.name} ({_offer(one.resources)})" for one in startable[:SHOWN])
    added = f"its autoscaler may add {types}" if types else "no autoscaler adds further ones"
    return f"its nodes have {shown}{more}, and {added}"


def _offer(resources: Mapping[str, float]) -> str:
    return _amounts(resources.get("CPU", 0), resources.get("GPU", 0))


def _amounts(cpus: float, gpus: float) -> str:
    """`8 CPUs and 1 GPU`."""
    words = [f"{cpus:g} CPU{'' if cpus == 1 else 's'}"]
    if gpus:
        words.append(f"{gpus:g} GPU{'' if gpus <= 1 else 's'}")
    return " and ".join(words)
