"""Nodes prove themselves before their first task: asked by a fake, and by real raylets of this machine."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan
from platform.distributed import node_proofs
from platform.distributed.cluster_nodes import ClusterNodes, Listing, Node
from platform.distributed.dispatcher import LOST
from platform.distributed.node_proofs import NodeProofs
from platform.distributed.ray_dispatcher import start_dispatcher
from platform.files import late
from platform.host.checkout import TOLD
from platform.runs.attempts import driver_folder
from platform.runs.fold_tasks import PlannedData, final_tasks, machine_of
from platform.runs.node_proof import Expected, NodeFacts, Store, expected_of_nodes, node_facts
from tests.distributed.faulty_nodes import AHEAD, facts_of_other_code, facts_of_some
from tests.distributed.processes import LINUX_ONLY
from tests.tiny_faces import tiny_configuration

# --- without Ray --------------------------------------------------------------------------------------


def node(name: str, cpus: float = 4.0) -> Node:
    return Node(id=name, host=f"host-{name}", resources={"CPU": cpus})


class Cluster:
    """Nodes that answer as told, and what is noted of them."""

    def __init__(self, root: Path, *names: str) -> None:
        self.expected = expected_of_nodes(driver_folder(root / "experiments" / "one"), root, on_gpus=False)
        self.up = list(names)
        self.events: list[tuple[str, str, str]] = []
        self.asked: list[str] = []
        self.faults: dict[str, Callable[[NodeFacts], NodeFacts]] = {}
        self.nodes = ClusterNodes(note=self.note, lists=self.listed)
        self.proofs = NodeProofs(self.expected, self.nodes, note=self.note, ask=self.ask)
        self.nodes.left = self.proofs.left

    def listed(self) -> Listing:
        return Listing(nodes=tuple(node(name, cpus=0.0 if name == "head" else 4.0) for name in self.up))

    def note(self, kind: str, host: str, words: str) -> None:
        self.events.append((kind, host, words))

    async def ask(self, expected: Expected, node: Node) -> NodeFacts:
        self.asked.append(node.id)
        facts = node_facts(expected, node.id)
        return self.faults[node.id](facts) if node.id in self.faults else facts

    def kinds(self) -> list[tuple[str, str]]:
        return [(kind, host) for kind, host, _ in self.events]


def other_code(facts: NodeFacts) -> NodeFacts:
    return replace(facts, code="f" * 64)


def dies(facts: NodeFacts) -> NodeFacts:
    raise ModuleNotFoundError("No module named 'platform.runs'")


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(late, "PAUSES_SECONDS", (0.0,))


def test_every_node_is_asked_once_and_who_lacks_something_gets_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        cluster = Cluster(tmp_path, "a", "b")
        cluster.faults["b"] = other_code
        await cluster.nodes.look()
        await cluster.proofs.all_of()
        assert await cluster.proofs.of("a") == []
        (lack,) = await cluster.proofs.of("b")
        assert sorted(cluster.asked) == ["a", "b"]
        assert cluster.nodes.label_selector() == {"ray.io/node-id": "!in(b)"}
        (event,) = cluster.events
        assert event == ("refused", "host-b", f"host-b gets no runs: {lack.rstrip('.')}")

    asyncio.run(run())


def test_a_node_that_the_dispatcher_has_not_seen_yet_is_asked_when_a_task_lands_there(tmp_path: Path) -> None:
    async def run() -> None:
        cluster = Cluster(tmp_path, "a")
        await cluster.nodes.look()
        cluster.up.append("b")
        cluster.faults["b"] = other_code
        assert len(await cluster.proofs.of("b")) == 1
        assert cluster.kinds() == [("joined", "host-b"), ("refused", "host-b")]
        assert await cluster.proofs.of("gone") == []

    asyncio.run(run())


def test_another_prepared_set_is_asked_for_as_soon_as_tasks_read_it(
    tmp_path: Path, planned: PlannedData, plan: Plan
) -> None:
    async def run() -> None:
        cluster = Cluster(tmp_path, "a")
        await cluster.nodes.look()
        await cluster.proofs.all_of()
        key = cluster.proofs.key
        tasks = final_tasks(tiny_configuration(), planned, machine_of(plan))
        for _ in range(2):
            cluster.proofs.require(tasks)
            await cluster.proofs.all_of()
        assert cluster.asked == ["a", "a"]
        assert cluster.proofs.key != key
        (store,) = cluster.proofs.expected.stores
        assert isinstance(store, Store)
        assert store.folder == tasks[0].data.folder

    asyncio.run(run())


def test_one_node_that_does_not_answer_keeps_nobody_waiting(tmp_path: Path) -> None:
    async def run() -> None:
        cluster = Cluster(tmp_path, "a", "b")
        cluster.faults["b"] = other_code

        async def silent(expected: Expected, node: Node) -> NodeFacts:
            if node.id == "a":
                await asyncio.sleep(60)
            return await cluster.ask(expected, node)

        cluster.proofs.ask = silent
        await cluster.nodes.look()
        await cluster.proofs.of("b")
        await cluster.proofs.all_of(limit_seconds=0.01)
        assert cluster.kinds() == [("refused", "host-b")]
        assert cluster.proofs.none_left(lambda node: True) is None
        assert cluster.proofs.passed == set()

    asyncio.run(run())


def test_what_a_node_writes_must_come_back(tmp_path: Path) -> None:
    async def run() -> None:
        cluster = Cluster(tmp_path, "a")

        async def elsewhere(expected: Expected, node: Node) -> NodeFacts:
            facts = node_facts(expected, node.id)
            (Path(expected.folder) / "nodes" / node.id).unlink()
            return facts

        cluster.proofs.ask = elsewhere
        await cluster.nodes.look()
        (lack,) = await cluster.proofs.of("a")
        assert "does not arrive" in lack

    asyncio.run(run())


def test_a_node_where_our_code_does_not_run_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_proofs, "ANSWER_SECONDS", 0.01)

    async def run() -> None:
        cluster = Cluster(tmp_path, "a", "b")
        cluster.faults["a"] = dies

        async def never(expected: Expected, node: Node) -> NodeFacts:
            if node.id == "b":
                await asyncio.sleep(60)
            return await cluster.ask(expected, node)

        cluster.proofs.ask = never
        await cluster.nodes.look()
        (lack,) = await cluster.proofs.of("a")
        assert "our code does not run there (ModuleNotFoundError: No module named 'platform.runs')" in lack
        (lack,) = await cluster.proofs.of("b")
        assert lack == "it did not say what it has within 0 s."

    asyncio.run(run())


def test_a_refused_node_is_asked_again_and_admitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_proofs, "AGAIN_SECONDS", 0.0)

    async def run() -> None:
        cluster = Cluster(tmp_path, "a")
        cluster.faults["a"] = other_code

        def changed() -> None:
            if cluster.nodes.excluded:
                cluster.faults.pop("a", None)
            elif cluster.events:
                tending.cancel()

        await cluster.nodes.look()
        tending = asyncio.ensure_future(cluster.proofs.tend(changed, period_seconds=0.0))
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(tending, 20)
        assert cluster.kinds() == [("refused", "host-a"), ("admitted", "host-a")]

    asyncio.run(run())


def test_without_a_node_left_there_is_a_reason_with_all_sentences(tmp_path: Path) -> None:
    async def run() -> None:
        cluster = Cluster(tmp_path, "head", "a", "b")
        cluster.faults |= {"a": other_code, "b": dies}

        def may_work(node: Node) -> bool:
            return node.resources["CPU"] > 0

        await cluster.nodes.look()
        assert cluster.proofs.none_left(may_work) is None
        await cluster.proofs.of("a")
        assert cluster.proofs.none_left(may_work) is None
        await cluster.proofs.of("b")
        why = str(cluster.proofs.none_left(may_work))
        assert why.startswith("no node of the cluster may get runs. host-a gets no runs: its code is not")
        assert "host-b gets no runs: our code does not run there" in why
        cluster.up.append("c")
        await cluster.nodes.look()
        assert cluster.proofs.none_left(may_work) is None

    asyncio.run(run())


# --- raylets of this machine ----------------------------------------------------------------------------


@pytest.fixture
def raylets(root: Path) -> Iterator[Any]:
    """A cluster whose head has no CPUs, connected to; ends with the test."""
    import ray
    from ray.cluster_utils import Cluster as RayCluster

    from platform.distributed.ray_settings import QUIET, keep_others_out

    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    keep_others_out()
    raylets = RayCluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        workers = {"env_vars": {"PYTHONPATH": str(root)}}
        ray.init(address=raylets.address, runtime_env=workers, log_to_driver=False, logging_level="ERROR")
        yield raylets
    finally:
        ray.shutdown()
        raylets.shutdown()


def add(raylets: Any, letter: str, ahead_seconds: int = 0) -> Any:
    """A node with one CPU whose runs name the commit `letter`."""
    told = {TOLD: f"{letter * 40} clean", AHEAD: str(ahead_seconds)}
    return raylets.add_node(num_cpus=1, env_vars=told)


def who_ran(manifests: list[dict[str, Any]]) -> set[str]:
    return {manifest["provenance"]["commit"][0] for manifest in manifests}


def wait_for(dispatcher: Any, kind: str) -> dict[str, Any]:
    import ray

    for _ in range(600):
        found = [one for one in ray.get(dispatcher.snapshot.remote(0))["events"] if one["kind"] == kind]
        if found:
            event: dict[str, Any] = found[-1]
            return event
        time.sleep(0.1)
    raise AssertionError(f"no node {kind}")


@LINUX_ONLY
@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(600)
def test_a_node_with_a_wrong_clock_gets_nothing_and_one_that_joins_later_does(
    raylets: Any, planned: PlannedData, plan: Plan, tmp_path: Path
) -> None:
    import ray

    good = add(raylets, "a")
    add(raylets, "b", ahead_seconds=3600)
    folder = driver_folder(tmp_path / "experiments" / "one")
    dispatcher = start_dispatcher(plan, tmp_path, None, folder, facts_of_some)
    first, *others = final_tasks(tiny_configuration(method="cnn"), planned, machine_of(plan))
    more = final_tasks(tiny_configuration(method="cnn", stage2_constant_epochs=2), planned, machine_of(plan))
    assert who_ran(ray.get(dispatcher.run.remote([first, *others]), timeout=300)) == {"a"}
    refused = wait_for(dispatcher, "refused")
    assert "gets no runs: its clock is 3" in refused["words"]
    assert refused["host"]
    raylets.remove_node(good)
    wait_for(dispatcher, "left")
    answer = dispatcher.run.remote(more)
    add(raylets, "c")
    assert who_ran(ray.get(answer, timeout=300)) == {"c"}
    wait_for(dispatcher, "joined")
    ray.kill(dispatcher)
    # Where nobody is left, the tasks are over at once, and say why.
    folder = driver_folder(tmp_path / "experiments" / "two")
    dispatcher = start_dispatcher(plan, tmp_path / "two", None, folder, facts_of_other_code)
    manifests = ray.get(dispatcher.run.remote([first]), timeout=300)
    assert [manifest["status"] for manifest in manifests] == [LOST]
    assert "no node of the cluster may get runs" in manifests[0]["reason"]
    assert "its code is not the dispatcher's (hash ffffffffffff" in manifests[0]["reason"]
