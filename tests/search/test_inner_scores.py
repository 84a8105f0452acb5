from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.folds.rules import Fold
from platform.errors import UserError
from platform.evaluation.predictions import Predictions, to_bytes
from platform.files.local_storage import LocalStorage
from platform.runs.planned_tasks import Machine, fold_task
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search import inner_scores as inner_scores_module
from platform.search.inner_scores import InnerScores, accuracy_of_run, inner_scores
from tests.tiny_faces import CLASSES, fake_data, tiny_configuration


def test_the_score_is_the_unweighted_mean_of_steps_by_hand() -> None:
    scores = InnerScores(steps={0: {"A": (3, 4), "B": (0, 2)}, 1: {"C": (1, 1)}})
    assert scores.mean_of_steps == pytest.approx((3 / 6 + 1) / 2)
    assert scores.mean_or_none == scores.mean_of_steps


def test_without_a_fold_there_is_no_score() -> None:
    assert InnerScores(steps={}).mean_or_none is None


def test_subjects_are_summed_over_the_steps_asked() -> None:
    scores = InnerScores(steps={0: {"A": (3, 4), "B": (0, 2)}, 1: {"A": (0, 2)}, 2: {"B": (2, 2)}})
    assert scores.subject_accuracies([0, 1]) == {"A": 3 / 6, "B": 0.0}
    assert scores.subject_accuracies([2]) == {"B": 1.0}
    with pytest.raises(KeyError):
        scores.subject_accuracies([3])


def inner_task(index: int) -> FoldTask:
    fold = Fold(index=index, train_subjects=("A", "B", "C"), test_subjects=(f"T{index}",))
    return fold_task(
        tiny_configuration(), fake_data(), fold, fold_rule="paper", part=0, validation_subjects=("A", "B"),
        machine=Machine(), images_of_subject={"C": 2},
    )  # fmt: skip


def store_answers(store: ResultsStore, task: FoldTask, right: dict[str, list[bool]]) -> None:
    rows = [(subject, answer) for subject, answers in right.items() for answer in answers]
    count = len(rows)
    predictions = Predictions(
        dataset=np.full(count, "synthetic"),
        fold=np.full(count, task.fold_index),
        subject=np.array([subject for subject, _ in rows]),
        sequence=np.array([f"{subject}_1" for subject, _ in rows]),
        image=np.array([f"image{number}" for number in range(count)]),
        true=np.full(count, "anger"),
        predicted=np.array(["anger" if answer else "fear" for _, answer in rows]),
        scores=np.full((count, 3), 1 / 3, dtype=np.float32),
        class_names=CLASSES,
    )
    files = {"predictions.parquet": to_bytes(predictions, "test")}
    store.write("fold_runs", task.identity, task.record, files)


def test_scores_are_read_from_the_stored_predictions(tmp_path: Path) -> None:
    store, tasks = ResultsStore(tmp_path), [inner_task(1), inner_task(0)]
    store_answers(store, tasks[0], {"A": [True, False], "B": [True]})
    store_answers(store, tasks[1], {"A": [False], "B": [True]})
    scores = inner_scores(store, tasks)
    assert scores.steps == {0: {"A": (1, 2), "B": (1, 1)}, 1: {"A": (0, 1), "B": (1, 1)}}
    assert scores.mean_of_steps == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_a_missing_or_failed_fold_is_an_error_unless_partial(tmp_path: Path) -> None:
    store, tasks = ResultsStore(tmp_path), [inner_task(0), inner_task(1)]
    store_answers(store, tasks[0], {"A": [True]})
    store.write_failure("fold_runs", tasks[1].identity, tasks[1].record, "ValueError")
    with pytest.raises(KeyError, match="fold 1"):
        inner_scores(store, tasks)
    assert inner_scores(store, tasks, partial=True).steps == {0: {"A": (1, 1)}}


class Counting(LocalStorage):
    """Counts the files that are read."""

    reads = 0

    def read(self, path: Path, **options: Any) -> bytes:
        self.reads += 1
        return super().read(path, **options)


def test_a_fold_run_is_read_once_and_counts_while_it_is_there(tmp_path: Path) -> None:
    store_answers(ResultsStore(tmp_path), inner_task(0), {"A": [True]})
    storage = Counting()
    store = ResultsStore(tmp_path, storage)
    for _ in range(2):
        assert inner_scores(store, [inner_task(0)]).steps == {0: {"A": (1, 1)}}
    assert storage.reads == 2  # manifest and predictions
    assert accuracy_of_run(store, inner_task(0).identity) == 1
    store.remove("fold_runs", inner_task(0).identity)
    assert inner_scores(store, [inner_task(0)], partial=True).steps == {}
    with pytest.raises(UserError, match="has no result; run the command that made it again"):
        accuracy_of_run(store, inner_task(0).identity)


def test_only_the_latest_counts_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[tuple[ResultsStore, str], Any] = {}
    monkeypatch.setattr(inner_scores_module, "MOST_KEPT", 2)
    monkeypatch.setattr(inner_scores_module, "_KEPT", kept)
    store, tasks = ResultsStore(tmp_path), [inner_task(fold) for fold in range(3)]
    for task in tasks:
        store_answers(store, task, {"A": [True]})
    assert len(inner_scores(store, tasks).steps) == 3
    assert [identity for _, identity in kept] == [task.identity for task in tasks[1:]]
