from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

from platform.experiments.driver_lease import WATCH_SECONDS, leading, lease_slot
from platform.inventory.drivers import live_drivers
from tests.inventory.known_runs import write_lease


def folder(root: Path, name: str) -> Path:
    (root / name).mkdir()
    return root / name


def test_a_driver_of_this_machine_lives_while_it_leads(tmp_path: Path) -> None:
    one = folder(tmp_path, "one")
    with leading(one):
        assert list(live_drivers({"one": one})) == ["one"]
    assert live_drivers({"one": one}) == {}


def test_a_lease_whose_heartbeat_is_old_counts_as_dead(tmp_path: Path) -> None:
    one = folder(tmp_path, "one")
    write_lease(one, age_seconds=WATCH_SECONDS + 1)
    assert live_drivers({"one": one}) == {}


def test_drivers_of_other_machines_live_if_their_counters_move(tmp_path: Path) -> None:
    folders = {name: folder(tmp_path, name) for name in ("moving", "still")}
    lease = write_lease(folders["moving"], kernel="another")
    write_lease(folders["still"], kernel="another")
    moved = dataclasses.replace(lease, counter=lease.counter + 1)
    timer = threading.Timer(0.1, lambda: lease_slot(folders["moving"]).write(moved))
    timer.start()
    found = live_drivers(folders, watch_seconds=0.6)
    timer.join()
    assert found == {"moving": moved}


def test_looking_writes_nothing(tmp_path: Path) -> None:
    one = folder(tmp_path, "one")
    live_drivers({"one": one, "none": tmp_path / "none"})
    assert list(tmp_path.rglob("*")) == [one]
