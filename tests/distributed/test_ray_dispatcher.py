"""The dispatcher's window before Ray, and nodes that it sets aside; no Ray runs here."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan
from platform.distributed.cluster_nodes import Listing, Node
from platform.distributed.dispatcher import LOST
from platform.distributed.ray_dispatcher import RayDispatcher, window_limit
from platform.runs.attempts import driver_folder
from platform.runs.failing_nodes import FAILURES_IN_A_ROW
from platform.runs.node_proof import Expected, NodeFacts, expected_of_nodes
from platform.runs.store import ResultsStore
from platform.runs.tasks import ArtifactTask, FoldTask
from tests.distributed.test_dispatcher import baseline


@pytest.mark.parametrize(
    ("slots", "reach", "train_workers", "limit"),
    [
        (4, 4, 0, 8),
        (4, 20, 0, 20),  # what waits with Ray is what the autoscaler grows for
        (0, 8, 0, 8),
        (0, 0, 0, 0),
        (4, 4, 2, 4),  # each that waits costs a process
        (4, 20, 2, 9),
        (0, 8, 1, 1),
    ],
)
def test_the_window_is_twice_the_slots_or_what_the_autoscaler_may_reach(
    slots: int, reach: int, train_workers: int, limit: int
) -> None:
    assert window_limit(slots, reach, Plan(train_workers=train_workers)) == limit


class Cluster:
    """Two nodes that get tasks in turn, as long as they get some; those of `full` have a full disk."""

    def __init__(self, root: Path, *full: str) -> None:
        self.full = full
        self.store = ResultsStore(root)
        self.ran_on: list[str] = []
        folder = driver_folder(root / "experiments" / "one")
        expected = expected_of_nodes(folder, root, on_gpus=False)
        self.dispatcher = RayDispatcher(str(root), None, Plan(retries=20), folder, expected)
        for name, value in (("_launch", self.launch), ("_sleep", self.sleep)):
            setattr(self.dispatcher, name, value)
        self.nodes, self.proofs = self.dispatcher._nodes, self.dispatcher._proofs
        self.nodes.lists = lambda: Listing(
            nodes=tuple(Node(id=name, host=f"host-{name}", resources={"CPU": 1.0}) for name in ("a", "b"))
        )
        assert self.proofs is not None
        self.proofs.ask = self.ask

    async def ask(self, expected: Expected, node: Node) -> NodeFacts:
        # The set of these tasks exists on no disk.
        return NodeFacts(host=node.host, code=expected.code, libraries=expected.libraries, clock=self.now())

    def now(self) -> float:
        assert self.proofs is not None
        return self.proofs.clock()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)

    async def launch(self, task: FoldTask | ArtifactTask) -> dict[str, Any]:
        usable = [node.id for node in self.nodes.usable()]
        node = usable[len(self.ran_on) % len(usable)]
        self.ran_on.append(node)
        self.dispatcher.started(task.identity, node, f"host-{node}", 1)
        await asyncio.sleep(0)
        if node in self.full:
            raise OSError(errno.ENOSPC, "No space left on device", "/tmp")
        return self.store.write(task.kind, task.identity, task.record, {}, seconds=1.0, accuracy=0.5)

    def run(self, count: int) -> list[dict[str, Any]]:
        async def case() -> list[dict[str, Any]]:
            return await self.dispatcher.run([baseline(index) for index in range(count)])

        return asyncio.run(asyncio.wait_for(case(), 60))

    def kinds(self) -> list[tuple[str, str]]:
        return [(event["kind"], event["host"]) for event in self.dispatcher.snapshot()["events"]]


@pytest.fixture
def tokens_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.distributed.node_proofs.token_read_back", lambda expected, node: "")


@pytest.mark.usefixtures("tokens_come_back")
def test_a_node_that_fails_what_the_other_can_is_set_aside_by_name(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, "a")
    assert {manifest["status"] for manifest in cluster.run(6)} == {"complete"}
    aside = [event for event in cluster.dispatcher.snapshot()["events"] if event["kind"] == "set_aside"]
    assert [event["host"] for event in aside] == ["host-a"]
    assert "host-a gets no more runs: " in aside[0]["words"]
    assert cluster.ran_on.count("a") >= FAILURES_IN_A_ROW
    assert cluster.kinds().count(("stopped", "host-a")) == cluster.ran_on.count("a")


@pytest.mark.usefixtures("tokens_come_back")
def test_where_all_nodes_fail_none_is_set_aside(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, "a", "b")
    assert {manifest["status"] for manifest in cluster.run(2)} == {LOST}
    assert not any(kind == "set_aside" for kind, _ in cluster.kinds())


@pytest.mark.usefixtures("tokens_come_back")
def test_nothing_waits_for_nodes_that_all_lack_something(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)

    async def other_code(expected: Expected, node: Node) -> NodeFacts:
        return NodeFacts(host=node.host, code="f" * 64, libraries=expected.libraries, clock=cluster.now())

    assert cluster.proofs is not None
    cluster.proofs.ask = other_code
    manifests = cluster.run(3)
    assert {manifest["status"] for manifest in manifests} == {LOST}
    assert cluster.ran_on == []
    reason = manifests[0]["reason"]
    assert "no node of the cluster may get runs. host-a gets no runs: its code is not the" in reason
    assert "host-b gets no runs: its code" in reason
    assert cluster.kinds() == [("refused", "host-a"), ("refused", "host-b")]


def test_without_a_node_for_its_runs_it_says_what_they_wait_for(tmp_path: Path) -> None:
    folder = driver_folder(tmp_path / "experiments" / "one")
    made = RayDispatcher(str(tmp_path), None, Plan(gpus_per_run=1), folder)
    assert made.snapshot()["waiting_for"] == "", "not listed yet"
    small, large = (Node(id=n, host=n, resources={"CPU": 8.0, "GPU": g}) for n, g in (("a", 0.0), ("b", 1.0)))
    waits = [
        made._nodes.take(Listing(nodes=up)) and made.snapshot()["waiting_for"]
        for up in ((small, large), (small,))
    ]
    assert waits == ["", "1 CPU and 1 GPU on one node"]
