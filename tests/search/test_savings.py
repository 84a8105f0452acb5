from __future__ import annotations

from pathlib import Path

import pytest

from datasets.folds.rules import Fold
from platform.runs.planned_tasks import Machine, fold_task
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.savings import Economy, SearchedTrial, economy_lines, measure_economy
from tests.tiny_faces import fake_data, tiny_configuration

SUBJECTS = ("A", "B", "C", "D")
EPOCHS = {"stage1_constant_epochs": 3, "stage1_decay_epochs": 0, "stage2_constant_epochs": 2}


def steps(**changes: object) -> tuple[FoldTask, ...]:
    """Two folds; each trains on two subjects of five images: 30 images in stage 1, 30 in stage 2."""
    folds = [
        Fold(index=0, train_subjects=("A", "B", "C"), test_subjects=("D",)),
        Fold(index=1, train_subjects=("B", "C", "D"), test_subjects=("A",)),
    ]
    configuration = tiny_configuration(**EPOCHS, **changes)
    return tuple(
        fold_task(
            configuration, fake_data(), fold, fold_rule="paper", part=0,
            validation_subjects=fold.train_subjects[:1], machine=Machine(),
            images_of_subject=dict.fromkeys(SUBJECTS, 5),
        )
        for fold in folds
    )  # fmt: skip


@pytest.fixture
def economy(tmp_path: Path) -> Economy:
    """Three trials: whole; pruned after one fold run; the first one's configuration once more."""
    store = ResultsStore(tmp_path)
    first, other = steps(), steps(lambda_mask=3.0)
    for task in (*first, other[0]):
        store.write("fold_runs", task.identity, task.record, {}, seconds=3600.0)
        store.write(
            "stage1", task.artifacts["stage1"].identity, task.artifacts["stage1"].record, {}, seconds=1800.0
        )
    trials = [
        SearchedTrial(tasks=first, done=2, pruned=False),
        SearchedTrial(tasks=other, done=1, pruned=True),
        SearchedTrial(tasks=first, done=2, pruned=False),
    ]
    return measure_economy(trials, store)


def test_what_was_run_and_what_was_saved_is_counted_by_hand(economy: Economy) -> None:
    parts = ("naive", "pruned", "shared_fold_runs", "shared_stage1", "run", "failed")
    counted = {name: getattr(economy, name) for name in parts}
    assert {name: (one.fold_runs, one.stage1_runs) for name, one in counted.items()} == {
        "naive": (6, 6),
        "pruned": (1, 1),
        "shared_fold_runs": (2, 2),
        "shared_stage1": (0, 1),
        "run": (3, 2),
        "failed": (0, 0),
    }
    assert economy.naive.images == 6 * (30 + 30)
    assert economy.run.images == 3 * 30 + 2 * 30
    assert economy.run.hours == pytest.approx(3 + 2 * 0.5)
    assert economy.pruned.hours == pytest.approx(1.5)


@pytest.mark.parametrize("measure", ["fold_runs", "stage1_runs", "images", "hours"])
def test_what_was_run_and_what_was_saved_make_up_the_naive_search(economy: Economy, measure: str) -> None:
    parts = (economy.run, economy.pruned, economy.shared_fold_runs, economy.shared_stage1, economy.failed)
    assert sum(getattr(part, measure) for part in parts) == pytest.approx(getattr(economy.naive, measure))


def test_the_lines_name_each_saving(economy: Economy) -> None:
    assert economy_lines(economy.to_dict()) == [
        "Pruning and sharing cut the work to 42 % of the training images: 3 of 6 fold runs, 2 of 6 stage-1 "
        "runs. Hours of skipped runs are means of the others.",
        "  saved by pruning: 1 fold run, 1 stage-1 run, 17 % of the images, 1.50 of 9.00 hours",
        "  saved by sharing stage 1: 0 fold runs, 1 stage-1 run, 8 % of the images, 0.50 of 9.00 hours",
        "  saved by sharing equal fold runs: 2 fold runs, 2 stage-1 runs, 33 % of the images, 3.00 of 9.00 "
        "hours",
    ]


def test_steps_after_a_failure_are_neither_pruned_nor_run(tmp_path: Path) -> None:
    economy = measure_economy([SearchedTrial(tasks=steps(), done=0, pruned=False)], ResultsStore(tmp_path))
    assert (economy.failed.fold_runs, economy.run.fold_runs, economy.pruned.fold_runs) == (2, 0, 0)
