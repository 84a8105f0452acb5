"""A tiny prepared set, and one Ray for all tests of this folder that ask for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan
from platform.runs.fold_tasks import PlannedData, plan_data
from tests.distributed.search_command import Command
from tests.tiny_faces import tiny_configuration
from tests.tiny_sequences import prepare_tiny_sequences

HERE = Path(__file__).resolve().parent
CLUSTER = ExitStack()


@pytest.fixture(scope="session")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty subjects, three classes and their sequences: enough subjects in two validation splits for a test
    over subjects."""
    root = tmp_path_factory.mktemp("tiny")
    prepare_tiny_sequences(root, subjects=40)
    return root


@pytest.fixture(scope="session")
def plan() -> Plan:
    """Three folds; two are run before pruning is asked."""
    return Plan(folds=3, rounds=(2, 1), trials=4, trials_in_flight=2, retries=0)


@pytest.fixture(scope="session")
def planned(data_root: Path, plan: Plan) -> PlannedData:
    return plan_data(data_root, "synthetic", tiny_configuration(), plan, search=True)


@pytest.fixture
def cluster(one_cluster: Any) -> Any:
    """Our own cluster's slots. A test that has ended it is told from the one that would wait for ever."""
    import ray

    assert ray.is_initialized(), "an earlier test has ended the cluster of this session"
    return one_cluster


@pytest.fixture(scope="session")
def one_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Our own cluster with two CPUs' slots; yields its slots. Ends after this folder's last test."""
    from platform.distributed.cluster import connected

    log = tmp_path_factory.mktemp("ray") / "ray.log"
    slots = CLUSTER.enter_context(connected(Plan(), log))
    yield slots
    CLUSTER.close()


@pytest.fixture
def command(root: Path, data_root: Path, tmp_path: Path) -> Iterator[Callable[[str], Command]]:
    """Makes commands; those that still run at the end are ended."""
    made: list[Command] = []

    def make(name: str) -> Command:
        made.append(Command(root, tmp_path / name, data_root))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None and one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


@pytest.fixture(scope="session")
def quiet_search(root: Path, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """A finished search of a private cluster, for those that are disturbed to be compared with."""
    quiet = Command(root, tmp_path_factory.mktemp("searches") / "quiet", data_root)
    quiet.start()
    assert quiet.wait() == 0, quiet.err()
    return quiet


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Ray ends with this folder: tests elsewhere start their own."""
    if nextitem is None or HERE not in nextitem.path.parents:
        CLUSTER.close()
