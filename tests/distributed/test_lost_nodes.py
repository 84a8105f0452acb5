"""A search on a cluster whose nodes and driver are lost ends with the table of a quiet one on one machine."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from tests.distributed.processes import LINUX_ONLY
from tests.distributed.raylets import Raylets, running_raylets
from tests.distributed.search_command import Command

pytestmark = [LINUX_ONLY, pytest.mark.ray, pytest.mark.timeout(1500)]


@pytest.fixture
def raylets() -> Iterator[Raylets]:
    with running_raylets(2) as running:
        yield running


def stage_1(command: Command) -> int:
    return len(list(command.runs.glob("stage1/*/manifest.json")))


def test_nodes_lost_in_both_stages_a_new_node_and_a_killed_driver_leave_the_table_as_it_is(
    command: Callable[[str], Command], quiet_search: Command, raylets: Raylets
) -> None:
    shaken = command("shaken")
    shaken.start("--address", raylets.address)
    shaken.until(lambda: bool(raylets.at_work()))
    assert stage_1(shaken) == 0
    raylets.kill(raylets.at_work()[0])
    assert stage_1(shaken) < stage_1(quiet_search), "a node was lost in stage 1"
    added = raylets.add()
    shaken.until(lambda: added in raylets.at_work())

    shaken.until(lambda: shaken.fold_runs() >= 2)
    assert shaken.signal(signal.SIGKILL) == -signal.SIGKILL
    after_kill = shaken.finished()

    shaken.start("--address", raylets.address)
    shaken.until(lambda: stage_1(shaken) == stage_1(quiet_search) and bool(raylets.at_work()))
    raylets.kill(raylets.at_work()[0])
    assert shaken.fold_runs() < quiet_search.fold_runs(), "a node was lost in stage 2"
    assert shaken.wait() == 0, shaken.err()
    assert after_kill.items() <= shaken.finished().items(), "a finished run was run again"
    assert shaken.fold_runs() == quiet_search.fold_runs()
    assert shaken.tables() == quiet_search.tables()
