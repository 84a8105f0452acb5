"""What a task may see of its prepared set."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from datasets.folds.rules import paper_folds
from datasets.prepared.store import PreparedStore
from platform.errors import LeakageError, UserError
from platform.runs.planned_tasks import Machine, fold_task
from platform.runs.task_view import view_of
from platform.runs.tasks import DataReference, FoldTask
from tests.tiny_faces import CLASSES, prepare_tiny, subject_names, tiny_configuration


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PreparedStore:
    return prepare_tiny(tmp_path_factory.mktemp("data"), subjects=6)


def task_on(store: PreparedStore, hash: str = "") -> FoldTask:
    return fold_task(
        tiny_configuration(),
        DataReference(
            folder=str(store.folder), dataset=store.dataset, hash=hash or store.hash, class_names=CLASSES
        ),
        paper_folds(subject_names(6), 3).folds[0],
        fold_rule="paper",
        part=None,
        validation_subjects=None,
        machine=Machine(),
        images_of_subject=dict.fromkeys(subject_names(6), 6),
    )


def test_a_final_run_sees_its_training_subjects_and_later_its_test_subjects(store: PreparedStore) -> None:
    task = task_on(store)
    view = view_of(task)
    assert set(view.subjects(view.training_rows)) == set(task.train_subjects)
    with pytest.raises(LeakageError):
        _ = view.evaluation_rows
    view.finish_training()
    assert set(view.subjects(view.evaluation_rows)) == set(task.evaluation_subjects)


def test_masks_and_stage_1_see_training_subjects_alone(store: PreparedStore) -> None:
    task = task_on(store)
    for artifact in (task.artifacts["masks"], task.artifacts["stage1"]):
        view = view_of(artifact)
        assert set(view.subjects(view.training_rows)) == set(task.train_subjects)
        view.finish_training()
        assert not len(view.evaluation_rows)


def test_only_the_classes_asked_for_exist(store: PreparedStore) -> None:
    task = task_on(store)
    view = view_of(
        dataclasses.replace(task, data=dataclasses.replace(task.data, class_names=("fear", "anger")))
    )
    assert view.class_names == ("fear", "anger")
    assert set(view.labels(view.training_rows)) == {0, 1}


def test_another_content_than_planned_is_refused(store: PreparedStore, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"planned for 0{64}: the data set has been prepared again"):
        view_of(task_on(store, hash="0" * 64))
