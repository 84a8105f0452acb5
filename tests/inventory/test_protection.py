from __future__ import annotations

from pathlib import Path

import pytest

from platform.experiments.experiment_file import read_experiment
from platform.inventory.protection import OpenExperiment, open_experiments, who_may_need
from platform.inventory.runs_folder import REMOVAL_FILE
from platform.monitoring.progress import Progress
from platform.monitoring.progress_file import keep_progress
from platform.runs.store import ResultsStore
from tests.inventory.known_runs import two_experiments, write_lease


def test_led_experiments_and_unfinished_searches_are_open(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
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
    found = {one.name: one for one in open_experiments(store, folders, {"not-begun": lease})}
    assert found.keys() == {"searching", "not-begun", "extended"}
    assert not any(one.artifacts_only for one in found.values())
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


def test_an_experiment_that_lacks_fold_runs_may_need_artifacts_of_its_data_set(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    folder = tmp_path / "experiments/first"
    (folder / "folds-synthetic.json").write_text("{}")
    assert open_experiments(store, {"first": folder}, {}) == []
    (identity,) = {run["identity"] for run in read_experiment(store, "first")["rows"][0]["runs"][:1]}
    store.remove("fold_runs", identity)
    (one,) = open_experiments(store, {"first": folder}, {})
    assert (one.artifacts_only, one.datasets) == (True, {"synthetic"})
    for kind in ("fold_runs", "stage1"):
        store.write(kind, "a" * 24, {"data": {"dataset": "synthetic"}}, {})
    assert who_may_need(store, ("stage1", "a" * 24), [one]) == "first is not finished"
    assert who_may_need(store, ("fold_runs", "a" * 24), [one]) == ""
