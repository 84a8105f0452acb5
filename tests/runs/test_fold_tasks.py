from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from datasets.prepared.store import store_folder
from platform.config.configuration import Plan
from platform.config.selection import scopes
from platform.errors import UserError
from platform.runs.fold_tasks import (
    PlannedData,
    final_tasks,
    machine_of,
    plan_data,
    source_substitute,
    step_tasks,
)
from platform.runs.planned_tasks import NOTHING, Machine
from tests import tiny_faces
from tests.tiny_faces import CLASSES, prepare_tiny, subject_names, tiny_configuration
from tests.written_stores import write_store

PLAN = Plan(folds=2, rounds=(1, 1), holdout_share=0.3)


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    prepare_tiny(root, "synthetic_wild", subjects=6)
    return root


@pytest.fixture(scope="module")
def planned(data_root: Path) -> PlannedData:
    return plan_data(data_root, "synthetic", tiny_configuration(), PLAN, search=True)


def test_the_data_is_referred_to_by_place_and_content(planned: PlannedData, data_root: Path) -> None:
    assert planned.data.folder == str(data_root / "prepared" / "synthetic-34")
    assert len(planned.data.hash) == 64
    assert planned.data.class_names == CLASSES
    assert planned.images_of_subject == dict.fromkeys(subject_names(10), 6)  # three classes, two frames each
    assert planned.image_count(["S01", "S03"]) == 12


def test_the_folds_are_the_papers_and_the_inner_parts_divide_their_training_subjects(
    planned: PlannedData,
) -> None:
    subjects = subject_names(10)
    assert [fold.test_subjects for fold in planned.folds.folds] == [tuple(subjects[5:]), tuple(subjects[:5])]
    for fold, parts in zip(planned.folds.folds, planned.inner, strict=True):
        assert len(parts) == 5
        assert sorted(subject for part in parts for subject in part) == list(fold.train_subjects)


def test_without_a_search_there_are_no_inner_parts(data_root: Path) -> None:
    assert plan_data(data_root, "synthetic", tiny_configuration(), PLAN).inner == ()


def test_the_fold_rule_can_be_the_transfers(data_root: Path) -> None:
    folds = plan_data(data_root, "synthetic", tiny_configuration(), PLAN, fold_rule="holdout").folds
    assert folds.rule == "holdout"
    assert len(folds.folds) == 1
    assert len(folds.folds[0].test_subjects) == 3


def test_inner_runs_come_in_the_order_asked_and_read_no_test_subject(planned: PlannedData) -> None:
    tasks = step_tasks(tiny_configuration(), planned, Machine(), ((1, 0), (0, 0)))
    assert [task.fold_index for task in tasks] == [1, 0]
    for task in tasks:
        fold = planned.folds.folds[task.fold_index]
        assert task.role == "inner"
        assert task.evaluation_subjects == planned.inner[task.fold_index][0]
        assert not set(fold.test_subjects) & {*task.train_subjects, *task.evaluation_subjects}


def test_inner_runs_of_all_folds_validate_on_everybody(tmp_path: Path) -> None:
    """With part 0 of every fold, the same few people validated in most of them."""
    prepare_tiny(tmp_path, "synthetic", subjects=20)
    plan = Plan(folds=10)
    planned = plan_data(tmp_path, "synthetic", tiny_configuration(), plan, search=True)
    (scope,) = scopes("inner", 10, plan.study_seed)
    tasks = step_tasks(tiny_configuration(), planned, Machine(), scope.steps)
    seen = [set().union(*(task.evaluation_subjects for task in tasks[:count])) for count in (4, 10)]
    assert len(seen[0]) >= 9
    assert len(seen[1]) == 20


def test_final_runs_score_every_subject_once(planned: PlannedData) -> None:
    tasks = final_tasks(tiny_configuration(), planned, Machine())
    assert sorted(s for task in tasks for s in task.evaluation_subjects) == subject_names(10)
    assert all(task.role == "final" and "stage1" in task.artifacts for task in tasks)


def test_transferred_masks_come_from_all_subjects(data_root: Path, planned: PlannedData) -> None:
    target = plan_data(data_root, "synthetic_wild", tiny_configuration(), PLAN, fold_rule="holdout")
    transferred = source_substitute("masks", planned, tiny_configuration(), Machine())
    assert transferred.source is not None
    assert transferred.source.train_subjects == tuple(subject_names(10))
    substitutes = {"masks": transferred, "stage1": NOTHING}
    (task,) = final_tasks(tiny_configuration(), target, Machine(), substitutes=substitutes)
    assert task.artifacts["masks"] == transferred.source
    assert "stage1" not in task.artifacts
    assert task.data.dataset == "synthetic_wild"


def test_masks_of_a_class_that_the_source_lacks_cannot_be_transferred(planned: PlannedData) -> None:
    wanting = dataclasses.replace(
        planned, data=dataclasses.replace(planned.data, dataset="mmi", class_names=(*CLASSES, "contempt"))
    )
    substitutes = {"masks": source_substitute("masks", planned, tiny_configuration(), Machine())}
    with pytest.raises(UserError, match="Synthetic faces has no motion mask for contempt, which MMI needs"):
        final_tasks(tiny_configuration(), wanting, Machine(), substitutes=substitutes)


def test_the_machine_is_the_plans() -> None:
    assert machine_of(PLAN) == Machine(device="cpu", cpu_threads=1, train_workers=0)
    plan = Plan(gpus_per_run=0.5, cpus_per_run=3, train_workers=1)
    assert machine_of(plan) == Machine(device="cuda", cpu_threads=3, train_workers=1)


@pytest.mark.parametrize(
    ("dataset", "plan", "message"),
    [
        ("synthetic", Plan(folds=11, rounds=(11,)), "10 subjects for 11 folds; pass --folds 10"),
        ("ckplus", PLAN, "not prepared at 34 pixels"),
        ("nope", PLAN, "unknown data set 'nope'"),
    ],
)
def test_data_that_cannot_be_planned_is_refused(
    data_root: Path, dataset: str, plan: Plan, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        plan_data(data_root, dataset, tiny_configuration(), plan)


def test_a_class_that_only_test_subjects_show_is_refused(tmp_path: Path) -> None:
    """Fear is shown by S04 alone, so the fold that tests S04 could not learn it."""
    records = [
        r for r in tiny_faces.records(4) if r.expression != "fear" or r.subject_id == "S04"
    ]  # fmt: skip
    write_store(
        store_folder(tmp_path, "synthetic", 34), "synthetic", 34, records,
        lambda r: tiny_faces.face(r.subject_id, r.expression, r.frame), aligned=True,
    )  # fmt: skip
    with pytest.raises(UserError, match="fold 0 of rule 'paper' trains without fear"):
        plan_data(tmp_path, "synthetic", tiny_configuration(), PLAN)
