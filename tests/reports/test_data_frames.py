from __future__ import annotations

from pathlib import Path

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.errors import UserError
from platform.experiments.experiment_file import read_experiment
from platform.reports.data_frames import curves, predictions, scores
from platform.runs.store import ResultsStore
from tests.fake_runs import CLASSES, demo_experiment, write_experiment, write_row

NAME = "tune-synthetic-quick"
LABELS = ["row", "title", "method", "seed", "fold", "role"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    demo_experiment(root)
    return root


def test_predictions_give_the_numbers_of_the_table(runs: Path) -> None:
    frame = predictions(runs, NAME)
    assert list(frame.columns) == [
        *LABELS, "dataset", "subject", "sequence", "image", "true", "predicted", "correct",
        *(f"score_{name}" for name in CLASSES),
    ]  # fmt: skip
    assert frame.role.unique().tolist() == ["final"]
    store = ResultsStore(runs)
    rows = [one.row for one in aggregate_experiment(store, read_experiment(store, NAME))]
    means = frame.groupby(["row", "fold"]).correct.mean().groupby("row").mean()
    pooled = frame.groupby("row").correct.mean()
    for number, row in enumerate(rows):
        assert row.scores is not None
        assert means[number] == pytest.approx(row.scores.mean_of_folds)
        assert pooled[number] == pytest.approx(row.scores.pooled_image_accuracy)


def test_scores_have_a_line_a_fold_run(runs: Path) -> None:
    frame = scores(str(runs), NAME)
    assert len(frame) == 3 * 3 + 1
    assert list(frame.columns)[:6] == LABELS
    from_predictions = predictions(runs, NAME).groupby(["row", "fold"]).correct.mean()
    assert frame.set_index(["row", "fold"]).accuracy.to_dict() == pytest.approx(from_predictions.to_dict())


def test_a_method_that_scores_sequences_has_their_number(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    row = write_row(store, "pairs", "Pairs", unit="sequence", folds=1)
    write_experiment(store, [row], name="pairs")
    (run,) = row["runs"]
    assert scores(tmp_path, "pairs").sequences.tolist() == [21]
    frame = predictions(tmp_path, "pairs")
    assert frame.image.tolist() == frame.sequence.tolist()
    assert run["identity"] == scores(tmp_path, "pairs").identity[0]


def test_curves_have_a_line_an_epoch_of_every_stage(runs: Path) -> None:
    frame = curves(runs, NAME)
    counts = frame[frame.row == 0].groupby(["fold", "stage"]).epoch.count()
    stages = {"stage1": 3, "stage2": 5}
    assert counts.to_dict() == {(fold, stage): n for fold in range(3) for stage, n in stages.items()}
    assert frame[frame.method == "cnn"].stage.unique().tolist() == ["stage2"]
    assert frame.loss.notna().all()


def test_unknown_names_and_changed_files_are_refused(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean"):
        scores(runs, NAME[:-1])
    with pytest.raises(UserError, match="a runs folder"):
        curves(tmp_path, NAME)
    store, _ = demo_experiment(tmp_path)
    next((store.root / "fold_runs").glob("*/predictions.parquet")).write_bytes(b"")
    with pytest.raises(UserError, match="does not match its manifest"):
        predictions(tmp_path, NAME)
