"""The dispatcher on a cluster of several raylets: order, slots, and what a killed node takes with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from platform.distributed.ray_dispatcher import WINDOW
from tests.distributed.processes import LINUX_ONLY
from tests.distributed.several_nodes import CPUS


@LINUX_ONLY
@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(600)
def test_order_slots_and_a_killed_node_on_several_raylets(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.distributed.several_nodes", str(tmp_path)]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads((tmp_path / "found.json").read_text())
    # Stage 1 first, then the longest. What is in the window starts where a worker's process is up first.
    order = [one for one in found["order"] if one in found["expected"]]
    assert sorted(order) == sorted(found["expected"])
    window = WINDOW * 2 * CPUS
    assert max(abs(order.index(one) - place) for place, one in enumerate(found["expected"])) <= window
    assert set(order[:window]) >= set(found["expected"][:2])
    # The dispatcher is on the head, and the node that was killed took only its own runs with it.
    assert found["dispatcher"][0] == found["dispatcher"][1]
    assert found["dispatcher"][0][0] == found["head"]
    assert found["slots"] == [2 * CPUS, CPUS]
    assert set(found["statuses"]) == {"complete"}
    of_run: dict[str, list[str]] = {}
    for identity, node, _ in found["starts"]:
        of_run.setdefault(identity, []).append(node)
    assert len(of_run) == 2 * CPUS
    lost = [nodes for nodes in of_run.values() if found["lost"] in nodes]
    assert [len(nodes) for nodes in lost] == [2] * CPUS
    assert all(nodes[0] == found["lost"] != nodes[1] for nodes in lost)
    assert [len(nodes) for nodes in of_run.values() if nodes not in lost] == [1] * CPUS
    assert {"left", "joined"} <= set(found["events"])
