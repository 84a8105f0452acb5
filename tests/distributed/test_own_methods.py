"""Methods of a user's own, one file each: searched, killed, resumed, cross-validated and in the table."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from platform.runs.store import ResultsStore
from tests.distributed.processes import LINUX_ONLY
from tests.distributed.search_command import Command

pytestmark = [LINUX_ONLY, pytest.mark.ray, pytest.mark.timeout(600)]

METHODS = Path(__file__).parent.parent / "data" / "methods"
SMALL = (
    "--preset", "smoke", "--baselines", "", "--transfer-to", "none", "--folds", "3", "--rounds", "2,1",
    "--trials", "2", "--trials-in-flight", "1",
)  # fmt: skip


def row_of(command: Command) -> dict[str, Any]:
    """The only row of the experiment."""
    text = (command.runs / "experiments" / "tiny" / "experiment.json").read_text()
    (row,) = json.loads(text)["rows"]
    found: dict[str, Any] = row
    return found


@pytest.mark.parametrize(
    ("name", "title", "saved"),
    [
        ("pixel_svm", "Pixels and SVM", {"svm.npz", "svm.json"}),
        ("two_players", "Two players", {"weights.safetensors"}),
        ("three_stages", "Three stages", {"weights.safetensors"}),
        ("sequence_pairs", "Sequence pairs", {"weights.safetensors"}),
    ],
)
def test_a_file_is_searched_killed_resumed_and_shown(
    command: Callable[[str], Command], name: str, title: str, saved: set[str]
) -> None:
    run = command(name)
    (run.folder / "tiny.yaml").write_text("seed: 0\n")
    flags = ("--method", str(METHODS / f"{name}.py"), *SMALL)
    run.start(*flags)
    run.until(lambda: run.fold_runs() >= 2)
    assert run.signal(signal.SIGKILL) == -signal.SIGKILL
    finished = run.finished()
    run.start(*flags)
    assert run.wait() == 0, run.err()
    assert run.err() == ""
    assert finished.items() <= run.finished().items(), "a finished run was run again"
    row = row_of(run)
    assert (row["method"], row["title"], row["backbone"]) == (name, title, "–")
    table = run.tables()["table.md"].decode()
    assert title in table
    assert row.get("unit") == ("sequence" if name == "sequence_pairs" else None)
    store = ResultsStore(run.runs)
    for one in row["runs"]:
        manifest = store.manifest("fold_runs", one["identity"])
        assert manifest is not None
        assert saved <= set(manifest["sha256"])
        assert len(store.record("fold_runs", one["identity"])["plugin"]) == 64
    assert list((run.runs / "experiments" / "tiny").rglob("events.out.tfevents*"))
