from __future__ import annotations

import io
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.inventory.bundle import ALLOWED, bundle_of
from platform.inventory.verification import verify_bundle
from platform.runs.store import ResultsStore
from tests.fake_runs import fake_mask_errors, fake_predictions, write_experiment, write_fold_run
from tests.inventory.known_runs import row_of, two_experiments


def names_in(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.namelist()


def test_it_holds_predictions_records_and_settings_and_no_picture(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    folder = tmp_path / "experiments/first"
    for name in ("config.yaml", "folds-synthetic.json", "winner.yaml", "report.html", "notes.png"):
        (folder / name).write_text("x")
    (folder / "folds-link.json").symlink_to("/etc/hostname")
    content = bundle_of(store, "first")
    names = names_in(content)
    assert len([name for name in names if name.endswith("predictions.parquet")]) == 3
    assert {name.rsplit("/")[-1] for name in names} == {
        "README.txt", "bundle.json", "config.yaml", "experiment.json", "folds-synthetic.json",
        "manifest.json", "predictions.parquet", "record.json", "table.json", "table.txt", "winner.yaml",
    }  # fmt: skip
    assert all(ALLOWED.fullmatch(name) for name in names)
    assert b"\x89PNG" not in content


def test_equal_experiments_give_equal_bytes(tmp_path: Path) -> None:
    store = two_experiments(tmp_path / "one")
    content = bundle_of(store, "first")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    for path in (tmp_path / "two").rglob("*"):
        os.utime(path, (1, 1))
    assert bundle_of(ResultsStore(tmp_path / "two"), "first") == content


def test_the_fold_runs_of_the_winning_trial_are_in_it(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    inner = write_fold_run(store, fake_predictions(0.7, 0), role="inner")
    final = write_fold_run(store, fake_predictions(0.7, 0))
    score = float(fake_predictions(0.7, 0).correct.mean())
    trials = [
        {"number": 0, "params": {}, "score": 0.1, "runs": [{"fold": 0, "identity": "e" * 24}]},
        {"number": 1, "params": {}, "score": score, "runs": [{"fold": 0, "identity": inner}]},
    ]
    row = row_of([{"fold": 0, "identity": final}], selection_score=score)
    study = {"name": "searched", "winner": 1, "trials": trials}
    write_experiment(store, [row], name="searched", studies=[study])
    names = names_in(bundle_of(store, "searched"))
    assert f"fold_runs/{inner}/predictions.parquet" in names
    assert not [name for name in names if "e" * 24 in name]


def test_errors_of_masks_are_in_it_where_the_table_needs_them(tmp_path: Path) -> None:
    """Not those of the fold runs that chose, which no table shows; and its table follows from it."""
    store = two_experiments(tmp_path)
    predictions = fake_predictions(0.7, 0)
    errors = fake_mask_errors(predictions, 0.01)
    inner, final = (
        write_fold_run(store, predictions, role=role, mask_errors=errors) for role in ("inner", "final")
    )
    score = float(predictions.correct.mean())
    trial = {"number": 1, "params": {}, "score": score, "runs": [{"fold": 0, "identity": inner}]}
    row = row_of([{"fold": 0, "identity": final}], selection_score=score)
    study = {"name": "searched", "winner": 1, "trials": [trial]}
    write_experiment(store, [row], name="searched", studies=[study])
    content = bundle_of(store, "searched")
    assert [name for name in names_in(content) if "mask" in name] == [
        f"fold_runs/{final}/mask_quality.parquet"
    ]
    assert all(ALLOWED.fullmatch(name) for name in names_in(content))
    (tmp_path / "x.zip").write_bytes(content)
    (shown,) = verify_bundle(tmp_path / "x.zip").table.sections[0].rows
    assert shown.mask_comparison is not None


def test_an_incomplete_experiment_is_refused(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    for path in (tmp_path / "fold_runs").iterdir():
        shutil.rmtree(path)
    with pytest.raises(UserError, match="is missing"):
        bundle_of(store, "first")
