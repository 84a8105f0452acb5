from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.inventory.status import status_of
from platform.monitoring.progress import Progress
from platform.monitoring.progress_file import PROGRESS_FILE, keep_progress
from tests.fake_runs import write_experiment
from tests.inventory.known_runs import row_of, two_experiments, write_lease


def test_a_running_experiment_has_its_driver_and_what_it_stated(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    folder = tmp_path / "experiments/first"
    lease = write_lease(folder)
    progress = Progress(slots=1)
    progress.expect("final", 10, 50.0)
    keep_progress(folder, progress, "running", 12.0)
    status = status_of(store, "first")
    assert (status.state, status.driver) == ("running", lease)
    assert status.progress is not None
    assert status.progress.counts["runs_expected"] == 10
    assert (status.runs_done, status.runs_wanted) == (3, 3)


def test_failures_have_reasons_and_files(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    store.write_failure("fold_runs", "f" * 24, {}, "Traceback\nValueError: no")
    write_experiment(store, [row_of([{"fold": 0, "identity": "f" * 24}])], name="failing")
    status = status_of(store, "failing")
    (failure,) = status.failures
    assert status.state == "failed"
    assert failure.reason == "ValueError: no"
    assert Path(failure.where).is_file()
    assert failure.label == "FMPN on synthetic, fold 0"
    again = {**row_of([{"fold": 0, "identity": "f" * 24}]), "seed": 1}
    write_experiment(store, [{**row_of([]), "seed": 0}, again], name="failing")
    assert status_of(store, "failing").failures[0].label == "FMPN on synthetic, seed 1, fold 0"


def test_a_damaged_progress_file_is_refused_by_name(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    (tmp_path / "experiments/first" / PROGRESS_FILE).write_text('{"time": 1}')
    with pytest.raises(UserError, match=r"progress\.json is not the progress of a driver"):
        status_of(store, "first")


def test_status_needs_no_ray(root: Path, tmp_path: Path) -> None:
    two_experiments(tmp_path)
    code = (
        "import sys; from platform.cli.runs_command import main\n"
        f"main(['status', 'first', '--runs', {str(tmp_path)!r}]); main(['ls', '--runs', {str(tmp_path)!r}])\n"
        "assert not {'ray', 'torch', 'optuna', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "first: finished" in done.stdout
