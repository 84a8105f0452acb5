"""Folds by a rule, and folds from lists of any kind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from datasets.folds.rules import Fold, FoldPlan, paper_folds, step_folds
from datasets.prepared.store import PreparedStore
from platform.config.configuration import Plan
from platform.errors import UserError
from platform.runs.fold_plans import listed_folds, made_folds
from platform.runs.fold_tasks import final_tasks, machine_of, plan_data
from tests.fold_list_files import write_released, write_table
from tests.tiny_faces import CLASSES, prepare_tiny, subject_names, tiny_configuration

SUBJECTS = subject_names(6)
COUNTS = {subject: Counter(dict.fromkeys(CLASSES, 2)) for subject in SUBJECTS}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def store(root: Path) -> PreparedStore:
    return prepare_tiny(root, subjects=6)


def names_of(store: PreparedStore, *subjects: str) -> list[str]:
    """The expressive images of these subjects, named as in FMPN's lists."""
    return [
        f"{image}.png"
        for image, subject, role in zip(store.image_names, store.subjects, store.roles, strict=True)
        if subject in subjects and role == "expressive"
    ]


def lists_testing(store: PreparedStore, folder: Path, *tested: tuple[str, ...]) -> Path:
    """Lists in FMPN's form whose folds test these subjects."""
    others = [tuple(one for one in SUBJECTS if one not in part) for part in tested]
    folds = [
        (names_of(store, *train), names_of(store, *test)) for train, test in zip(others, tested, strict=True)
    ]
    return write_released(folder, folds)


@pytest.mark.parametrize("rule", ["paper", "step", "holdout"])
def test_a_rule_divides_the_subjects(store: PreparedStore, rule: str) -> None:
    folds = made_folds(Plan(fold_rule=rule, folds=3, holdout_share=0.3), store, COUNTS)  # type: ignore[arg-type]
    assert folds.rule == rule
    assert len(folds.folds) == (1 if rule == "holdout" else 3)


@pytest.mark.parametrize("rule", ["paper", "step", "holdout"])
def test_a_repeat_divides_the_same_subjects_otherwise(store: PreparedStore, rule: str) -> None:
    plan = Plan(fold_rule=rule, folds=3, holdout_share=0.3)  # type: ignore[arg-type]
    first, second = (made_folds(plan, store, COUNTS, repeat=repeat) for repeat in (0, 1))
    assert first == made_folds(plan, store, COUNTS)
    assert second.rule == ("holdout" if rule == "holdout" else "stratified")
    assert len(second.folds) == len(first.folds)
    assert {fold.test_subjects for fold in second.folds} != {fold.test_subjects for fold in first.folds}


@pytest.mark.parametrize("rule", [paper_folds, step_folds])
def test_lists_that_a_rule_would_have_made_have_its_name(
    store: PreparedStore, tmp_path: Path, rule: type[FoldPlan]
) -> None:
    made = rule(SUBJECTS, 3)  # type: ignore[call-arg]
    lists = lists_testing(store, tmp_path / "lists", *(fold.test_subjects for fold in made.folds))
    (tmp_path / "plan.json").write_text(made.to_json())
    for path in (lists, tmp_path / "plan.json"):
        assert listed_folds(path, store, COUNTS) == made


def test_other_lists_are_named_by_their_content(store: PreparedStore, tmp_path: Path) -> None:
    one = listed_folds(lists_testing(store, tmp_path / "a", ("S02", "S05"), ("S01",)), store, COUNTS)
    other = listed_folds(lists_testing(store, tmp_path / "b", ("S02",), ("S01",)), store, COUNTS)
    assert [fold.test_subjects for fold in one.folds] == [("S02", "S05"), ("S01",)]
    assert one.folds[0].train_subjects == ("S01", "S03", "S04", "S06")
    assert [rule[:5] for rule in (one.rule, other.rule)] == ["list:"] * 2
    assert one.rule != other.rule


def test_a_table_that_counts_folds_from_1(store: PreparedStore, tmp_path: Path) -> None:
    rows = [
        {"image": name, "fold": 1 + (SUBJECTS.index(name[:3]) % 2)} for name in names_of(store, *SUBJECTS)
    ]
    made = listed_folds(write_table(tmp_path / "folds.csv", rows), store, COUNTS)
    assert made == step_folds(SUBJECTS, 2)


def test_a_class_that_is_not_asked_for_may_be_listed(store: PreparedStore, tmp_path: Path) -> None:
    two = {subject: Counter(dict.fromkeys(CLASSES[:2], 2)) for subject in SUBJECTS}
    made = listed_folds(lists_testing(store, tmp_path / "a", ("S02",), ("S01", "S03")), store, two)
    assert [fold.test_subjects for fold in made.folds] == [("S02",), ("S01", "S03")]


def test_a_leak_is_refused_with_the_audits_finding(store: PreparedStore, tmp_path: Path) -> None:
    folds = [(names_of(store, "S01", "S02")[1:], names_of(store, "S02", "S03"))]
    with pytest.raises(UserError) as refusal:
        listed_folds(write_released(tmp_path / "lists", folds), store, COUNTS)
    for part in ("must pass the audit", "have their subject in training", "platform.audit", "--data"):
        assert part in str(refusal.value)


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([(["S01_002_00000001.png", "S09_002_00000001.png"], ["S02_002_00000001.png"])], "lacks 1 of the 3"),
        ([(["S01_002_00000001.png"], ["S02_002_00000001.png"])], "has 1 of the 6 of S01 on one side"),
    ],
)
def test_lists_of_other_images_are_refused(
    store: PreparedStore, tmp_path: Path, folds: list[tuple[list[str], list[str]]], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        listed_folds(write_released(tmp_path / "lists", folds), store, COUNTS)


def test_an_image_that_two_folds_test_is_refused(store: PreparedStore, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="must pass the audit"):
        listed_folds(lists_testing(store, tmp_path / "lists", ("S02", "S05"), ("S02",)), store, COUNTS)


def test_a_plan_of_another_sets_subjects_is_refused(store: PreparedStore, tmp_path: Path) -> None:
    foreign = FoldPlan(rule="paper", folds=(Fold(index=0, train_subjects=("S01",), test_subjects=("X01",)),))
    (tmp_path / "plan.json").write_text(foreign.to_json())
    with pytest.raises(UserError, match="lists 1 subjects without images"):
        listed_folds(tmp_path / "plan.json", store, COUNTS)


def test_fold_runs_of_lists_are_those_of_the_rule(root: Path, store: PreparedStore, tmp_path: Path) -> None:
    """So what a rule has trained is found again."""
    (tmp_path / "plan.json").write_text(paper_folds(SUBJECTS, 3).to_json())
    configuration = tiny_configuration(method="cnn")
    by_rule = Plan(folds=3, baselines=())
    by_list = Plan(folds=3, baselines=(), fold_list=str(tmp_path / "plan.json"))
    ids = [
        [
            task.identity
            for task in final_tasks(
                configuration, plan_data(root, "synthetic", configuration, plan), machine_of(plan)
            )
        ]
        for plan in (by_rule, by_list)
    ]
    assert ids[0] == ids[1]
