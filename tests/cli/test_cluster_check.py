"""The check of --address at the start of a command."""

from __future__ import annotations

import argparse
import dataclasses

import pytest

from platform.cli.cluster_check import check_cluster
from platform.config.configuration import Plan
from platform.distributed.connection_probe import NotReached, Reached
from platform.distributed.control_store import ControlStore, StoreNode
from platform.errors import UserError

PROBE = "platform.distributed.connection_probe.probe"
NODE = StoreNode(node_id="ab", host="here", ip="10.0.0.1", port=1, resources={"CPU": 4.0})


def arguments(address: str | None, *, dry_run: bool = False) -> argparse.Namespace:
    return argparse.Namespace(address=address, dry_run=dry_run)


def reached(address: str) -> Reached:
    return Reached(
        words=address,
        address="127.0.0.1:1",
        store=ControlStore("127.0.0.1", 1),
        cluster_id=b"one",
        nodes=(NODE, dataclasses.replace(NODE, node_id="cd")),
        startable=(),
        own_node=NODE,
    )


def unreached(address: str) -> Reached:
    raise NotReached(f"no Ray cluster answers at {address}.")


def test_without_an_address_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROBE, unreached)
    assert check_cluster(arguments(None), Plan(), frozenset()) == []


def test_what_no_node_could_run_is_refused_also_in_a_dry_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROBE, reached)
    assert check_cluster(arguments("auto"), Plan(), frozenset()) == ["cluster: auto answers, with 1 host"]
    with pytest.raises(UserError, match="needs 8 CPUs on one node"):
        check_cluster(arguments("auto", dry_run=True), Plan(cpus_per_run=8), frozenset())
    on_gpu = Plan(gpus_per_run=1)
    with pytest.raises(UserError, match="1 CPU and 1 GPU on one node"):
        check_cluster(arguments("auto"), on_gpu, frozenset())
    assert check_cluster(arguments("auto"), on_gpu, frozenset({"gpus_per_run"})), "decided later"


def test_a_cluster_that_does_not_answer_ends_a_start_and_is_a_line_of_a_dry_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PROBE, unreached)
    with pytest.raises(UserError, match="no Ray cluster answers at auto"):
        check_cluster(arguments("auto"), Plan(), frozenset())
    (line,) = check_cluster(arguments("auto", dry_run=True), Plan(), frozenset())
    assert line == "cluster: a start would end at once: no Ray cluster answers at auto."


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_no_address_is_always_refused(dry_run: bool) -> None:
    with pytest.raises(UserError, match="ray job submit"):
        check_cluster(arguments("ray://head:10001", dry_run=dry_run), Plan(), frozenset())
