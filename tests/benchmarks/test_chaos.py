"""The chaos benchmark notices what it is for: its own judgement, tried on folders that the tests make."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.chaos import summary
from benchmarks.chaos_search import JOURNAL, NAME, Search
from benchmarks.disturbances import DISTURBANCES, STORED_FILES, Disturbance, FlippedByte, HalfLine

IDENTITY = "0123456789abcdef"


@pytest.fixture
def search(tmp_path: Path) -> Search:
    """A search's folder with one stored file of every kind."""
    found = Search(folder=tmp_path / "search", trials=1)
    for pattern in STORED_FILES:
        path = found.folder / pattern.replace("experiments/*", f"experiments/{NAME}").replace("*", IDENTITY)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'{"a": 1}\n{"b": 2}\n')
    return found


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Stands for a driver."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as found:
        yield found
        found.kill()


def say(search: Search, text: str) -> None:
    folder = search.folder.parent / f"{search.folder.name}-output"
    folder.mkdir(exist_ok=True)
    (folder / "driver.err").write_text(text)


@pytest.mark.parametrize("pattern", STORED_FILES)
def test_a_flipped_byte_changes_one_byte_of_a_file_and_is_mended_when_it_is_named(
    search: Search, process: subprocess.Popen[bytes], pattern: str
) -> None:
    done = FlippedByte(pattern).strike(search, process, random.Random(0))
    ((path, before),) = search.damaged.items()
    after = path.read_bytes()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    assert done is not None
    assert str(path.relative_to(search.folder)) in done
    assert process.poll() is not None

    say(search, "error: something else; wait.")
    assert not search.mend()
    say(search, f"error: {path} was changed after it was written; remove it.")
    assert search.mend()
    assert not search.damaged
    assert not path.exists() or path.read_bytes() == before


@pytest.mark.parametrize("seed", range(8))
def test_half_a_line_leaves_what_a_power_cut_leaves(
    search: Search, process: subprocess.Popen[bytes], seed: int
) -> None:
    path = search.experiment / JOURNAL
    before = path.read_bytes()
    assert HalfLine("half line in the study", JOURNAL).strike(search, process, random.Random(seed))
    after = path.read_bytes()
    assert after != before
    assert after.startswith(before) or before.startswith(after)


@pytest.mark.parametrize(
    ("status", "said", "killed", "fault"),
    [
        (0, "", False, None),
        (2, "error: the disk is full; free space.", False, None),
        (130, "interrupted", False, None),
        (-15, "", False, None),
        (2, "error: Ray's node manager (raylet) was killed; run the same command again.", False, None),
        (-9, "", True, None),
        (-9, "", False, "exit status -9"),
        (-11, "", True, "exit status -11"),
        (3, "error: x", False, "exit status 3"),
        (2, "", False, "without an error line"),
        (1, "Traceback (most recent call last):", False, "shows"),
        (1, "(raylet) a node has died", False, "shows"),
        (1, "[2026-11-28 02:00:00,000 C 1 2] gcs_rpc_client.cc:179: Failed", False, "shows"),
        (1, "[2026-11-28 02:00:00,000 E 1 2] core_worker.cc:179: Failed", False, "shows"),
    ],
)
def test_the_end_of_a_command_is_judged(
    search: Search, status: int, said: str, killed: bool, fault: str | None
) -> None:
    say(search, said)
    search.ended(status, killed=killed)
    assert bool(search.faults) == (fault is not None)
    assert fault is None or fault in search.faults[0]


def test_every_kind_of_disturbance_has_a_name() -> None:
    assert all(isinstance(one, Disturbance) and one.kind for one in DISTURBANCES)


def test_a_summary_counts_rounds_that_differ_and_every_fault() -> None:
    one = {
        "seconds": 1800,
        "disturbances": ["a", "b"],
        "exit_statuses": [0, 2],
        "differences": {},
        "faults": [],
    }
    other = one | {"differences": {"tables": ["table.md"]}, "faults": ["x", "y"]}
    assert summary([one, other]) == {
        "rounds": 2,
        "hours": 1.0,
        "disturbances": 4,
        "exit_statuses": {"0": 2, "2": 2},
        "differences": 1,
        "faults": 2,
    }
