"""The benchmark of stored results finds what is missing, and nothing else, at its smallest size."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.many_trials import SUBJECTS
from benchmarks.stored_results import FOLDS, MISSING, Steps, start_of_rows, start_of_search
from platform.files.local_storage import LocalStorage
from tests.tiny_faces import prepare_tiny


def test_the_driver_reads_each_manifest_once_and_the_dispatcher_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalStorage, "read", LocalStorage.read)  # undoes what Steps sets
    prepare_tiny(tmp_path / "data", subjects=SUBJECTS)
    steps = Steps(profile=False)
    runs = 2 * FOLDS
    start_of_rows(steps, tmp_path, runs)
    start_of_search(steps, tmp_path, runs)
    reads = {row["step"]: row["files_read"] for row in steps.rows}
    assert reads["planning"] == runs
    assert reads["display: expected runs and memory"] == 0
    few = 10 * MISSING  # what is handed over is looked at again when it has been stored
    assert runs <= reads["dispatcher: what is missing"] <= runs + few
    assert reads["study: verified against its fold runs"] == 2 * runs  # manifest and predictions, once each
    assert len(list((tmp_path / "rows" / "fold_runs").iterdir())) == runs
