from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from datasets.folds.rules import (
    Fold,
    FoldPlan,
    check_training_classes,
    count_classes,
    holdout_fold,
    missing_classes,
    paper_folds,
    step_folds,
    subjects_hash,
)
from platform.errors import UserError

FRAMES = Path(__file__).parents[2] / "data" / "ckplus_frames.csv"


def ckplus_rows() -> list[dict[str, str]]:
    with FRAMES.open() as file:
        return list(csv.DictReader(file))


def ckplus_classes() -> dict[str, Counter[str]]:
    rows = ckplus_rows()
    return count_classes([row["subject"] for row in rows], [row["expression"] for row in rows])


def test_ckplus_counts_are_the_published_ones() -> None:
    rows = ckplus_rows()
    assert len(rows) == 981
    assert Counter(row["expression"] for row in rows) == {
        "anger": 135,
        "contempt": 54,
        "disgust": 177,
        "fear": 75,
        "happiness": 207,
        "sadness": 84,
        "surprise": 249,
    }
    assert len(ckplus_classes()) == 118


def test_paper_folds_reproduce_the_released_fold_of_every_ckplus_image() -> None:
    rows = ckplus_rows()
    plan = paper_folds(row["subject"] for row in rows)
    fold_of = {subject: fold.index for fold in plan.folds for subject in fold.test_subjects}
    assert [fold_of[row["subject"]] for row in rows] == [int(row["released_test_fold"]) for row in rows]
    assert [sum(fold_of[row["subject"]] == index for row in rows) for index in range(10)] == [
        78, 72, 114, 90, 90, 93, 111, 108, 114, 111,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("subject_count", "cuts"),
    [
        (118, [0, 12, 24, 35, 47, 59, 71, 83, 94, 106, 118]),  # CK+: halves never, so the nearest
        (31, [0, 3, 6, 9, 12, 16, 19, 22, 25, 28, 31]),  # MMI: 15.5 goes to 16
        (
            25,
            [0, 2, 5, 8, 10, 12, 15, 18, 20, 22, 25],
        ),  # 2.5 to 2, 7.5 to 8, 12.5 to 12, 17.5 to 18, 22.5 to 22
    ],
)
def test_paper_cuts(subject_count: int, cuts: list[int]) -> None:
    subjects = [f"S{index:03d}" for index in range(subject_count)]
    plan = paper_folds(reversed(subjects))
    for fold in plan.folds:
        chunk = 9 - fold.index
        assert list(fold.test_subjects) == subjects[cuts[chunk] : cuts[chunk + 1]]
        assert sorted(fold.train_subjects + fold.test_subjects) == subjects


def test_step_folds_of_ckplus_test_contempt_in_each_and_fear_in_all_but_the_last() -> None:
    """The field's second protocol (docs/methods.md, §1)."""
    rows = ckplus_rows()
    plan = step_folds((row["subject"] for row in rows), 10)
    ordered = sorted({row["subject"] for row in rows})
    assert [fold.test_subjects for fold in plan.folds] == [tuple(ordered[k::10]) for k in range(10)]
    shown = [
        {row["expression"] for row in rows if row["subject"] in fold.test_subjects} for fold in plan.folds
    ]
    assert all("contempt" in classes for classes in shown)
    assert ["fear" in classes for classes in shown] == [True] * 9 + [False]


def test_each_subject_is_tested_once() -> None:
    for subject_count in range(2, 40):
        for fold_count in range(2, subject_count + 1):
            plan = paper_folds([f"{index:02d}" for index in range(subject_count)], fold_count)
            tested = Counter(subject for fold in plan.folds for subject in fold.test_subjects)
            assert len(plan.folds) == fold_count
            assert len(tested) == subject_count
            assert set(tested.values()) == {1}


@pytest.mark.parametrize(
    ("subjects", "fold_count", "message"),
    [
        (["A"], 10, "at least 2 subjects, but got 1"),
        ([], 10, "at least 2 subjects, but got 0"),
        (["A", "B", "C", "A"], 4, "3 subjects for 4 folds; pass --folds 3"),
        (["A", "B"], 1, "folds >= 2 must hold, but got folds=1"),
    ],
)
def test_impossible_folds_are_refused(subjects: list[str], fold_count: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        paper_folds(subjects, fold_count)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (("A", "B"), ("B", "C"), "trains and tests on B"),
        (("A",), (), "fold 0 has no test subject"),
        ((), ("A",), "fold 0 has no training subject"),
        (("B", "A"), ("C",), "training subjects of fold 0 must be sorted and unique"),
        (("A",), ("C", "C"), "test subjects of fold 0 must be sorted and unique"),
    ],
)
def test_a_fold_that_leaks_or_is_empty_cannot_be_made(
    train: tuple[str, ...], test: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        Fold(index=0, train_subjects=train, test_subjects=test)


def test_a_plan_numbers_its_folds() -> None:
    fold = Fold(index=1, train_subjects=("A",), test_subjects=("B",))
    for folds in ((fold,), ()):
        with pytest.raises(UserError, match="must be numbered"):
            FoldPlan(rule="paper", folds=folds)


def test_hash_is_sha256_of_the_canonical_json() -> None:
    plan = FoldPlan(rule="paper", folds=(Fold(index=0, train_subjects=("A",), test_subjects=("B",)),))
    text = '{"folds":[{"index":0,"test_subjects":["B"],"train_subjects":["A"]}],"rule":"paper"}'
    assert plan.hash == hashlib.sha256(text.encode()).hexdigest()
    other = FoldPlan(rule="paper", folds=(Fold(index=0, train_subjects=("B",), test_subjects=("A",)),))
    assert other.hash != plan.hash


def test_a_plan_survives_its_file() -> None:
    plan = paper_folds([f"S{index}" for index in range(23)], 7)
    assert FoldPlan.from_json(plan.to_json()) == plan


def changed(text: str, **changes: object) -> str:
    return json.dumps({**json.loads(text), **changes})


def test_a_damaged_plan_file_is_refused() -> None:
    text = paper_folds(["A", "B", "C"], 3).to_json()
    with pytest.raises(UserError, match="must match its hash"):
        FoldPlan.from_json(changed(text, rule="other"))
    for damaged in ("", "[]", "{}", text[:-9], changed(text, format="other"), changed(text, folds=3)):
        with pytest.raises(UserError, match="must be JSON as"):
            FoldPlan.from_json(damaged)


def test_subjects_hash_is_of_the_set() -> None:
    assert subjects_hash(["B", "A", "B"]) == subjects_hash(["A", "B"])
    assert subjects_hash(["A", "B"]) == hashlib.sha256(b'["A","B"]').hexdigest()
    assert subjects_hash(["AB"]) != subjects_hash(["A", "B"])


def test_missing_classes_names_what_no_training_subject_has() -> None:
    classes = {"A": Counter(anger=2), "B": Counter(fear=1, anger=1), "C": Counter(sadness=3, fear=0)}
    assert missing_classes(["A"], classes) == ("fear", "sadness")
    assert missing_classes(["A", "C"], classes) == ("fear",)
    assert missing_classes(["B", "C"], classes) == ()


def test_a_fold_that_trains_without_a_class_is_named() -> None:
    classes = {"A": Counter(anger=1), "B": Counter(anger=1), "C": Counter(fear=1, anger=1)}
    with pytest.raises(UserError, match="fold 0 of rule 'paper' trains without fear"):
        check_training_classes(paper_folds(classes, 3), classes)
    classes["A"]["fear"] += 1
    check_training_classes(paper_folds(classes, 3), classes)


def test_holdout_tests_about_a_tenth_of_every_ckplus_class() -> None:
    classes = ckplus_classes()
    plan = holdout_fold(classes, seed=0)
    (fold,) = plan.folds
    assert plan.rule == "holdout"
    assert sorted(fold.train_subjects + fold.test_subjects) == sorted(classes)
    total = Counter(name for counts in classes.values() for name in counts.elements())
    tested = Counter(name for subject in fold.test_subjects for name in classes[subject].elements())
    for name, count in total.items():
        assert abs(tested[name] - count / 10) <= 6, name


def test_holdout_depends_on_the_seed_only() -> None:
    classes = ckplus_classes()
    backwards = dict(reversed(list(classes.items())))
    assert holdout_fold(classes, seed=3).hash == holdout_fold(backwards, seed=3).hash
    assert holdout_fold(classes, seed=3).hash != holdout_fold(classes, seed=4).hash


def test_holdout_never_tests_all_subjects_of_a_class() -> None:
    classes = {f"S{index}": Counter(anger=1) for index in range(20)}
    classes["S7"] = Counter(fear=1)
    for seed in range(30):
        assert "S7" not in holdout_fold(classes, seed=seed, test_share=0.3).folds[0].test_subjects


@pytest.mark.parametrize(
    ("classes", "test_share", "message"),
    [
        ({"A": Counter(anger=1)}, 0.1, "at least 2 subjects, but got 1"),
        ({"A": Counter(anger=1), "B": Counter(anger=1)}, 1.0, "0 < test share < 1 must hold, but got 1.0"),
        ({"A": Counter(anger=1), "B": Counter(fear=1)}, 0.5, "trains without"),
        ({"A": Counter(anger=1), "B": Counter()}, 0.5, "subject 'B' has none"),
    ],
)
def test_impossible_holdouts_are_refused(
    classes: dict[str, Counter[str]], test_share: float, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        holdout_fold(classes, seed=0, test_share=test_share)
