from __future__ import annotations

from pathlib import Path

import pytest

from platform.inventory.protection import OpenExperiment, open_experiments, who_may_need
from platform.inventory.runs_folder import REMOVAL_FILE
from platform.monitoring.progress import Progress
from platform.monitoring.progress_file import keep_progress
from platform.runs.store import ResultsStore
from tests.inventory.known_runs import two_experiments, write_lease


def test_led_experiments_and_unfinished_searches_are_open(tmp_path: Path) -> None:
    two_experiments(tmp_path)
    folders = {}
    for name in ("first", "second", "searching", "not-begun", "going", "extended"):
        folders[name] = tmp_path / "experiments" / name
        folders[name].mkdir(exist_ok=True)
        if name != "not-begun":
            (folders[name] / "folds-mmi.json").write_text("{}")
    (folders["searching"] / "folds-ckplus-2.json").write_text("{}")
    (folders["going"] / REMOVAL_FILE).write_text("{}")
    (folders["extended"] / "experiment.json").write_text("{}")
    progress = Progress(slots=1)
    progress.phase = "search"
    keep_progress(folders["extended"], progress, "stopped", 1.0)
    lease = write_lease(folders["not-begun"])
    found = {one.name: one for one in open_experiments(folders, {"not-begun": lease})}
    assert found.keys() == {"searching", "not-begun", "extended"}
    assert found["searching"].datasets == {"mmi", "ckplus", "ckplus-2"}
    assert found["not-begun"].datasets is None


@pytest.mark.parametrize(
    ("datasets", "record", "needed"),
    [
        ({"mmi"}, {"data": {"dataset": "mmi"}}, True),
        ({"mmi"}, {"data": {"dataset": "ckplus"}}, False),
        (None, {"data": {"dataset": "ckplus"}}, True),
        ({"mmi"}, {"kind": "masks"}, True),
    ],
)
def test_results_of_their_data_sets_may_be_needed(
    tmp_path: Path, datasets: set[str] | None, record: dict[str, object], needed: bool
) -> None:
    store = ResultsStore(tmp_path)
    store.write("fold_runs", "a" * 24, record, {})
    one = OpenExperiment(
        name="x", datasets=None if datasets is None else frozenset(datasets), why="is running"
    )
    assert who_may_need(store, ("fold_runs", "a" * 24), [one]) == ("x is running" if needed else "")
    assert who_may_need(store, ("fold_runs", "a" * 24), []) == ""
