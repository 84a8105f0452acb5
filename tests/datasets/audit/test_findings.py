from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets.audit.findings import Audit, judge
from datasets.fold_lists.listed_images import Finding, FoldLists, ListedFold, ListedImage
from datasets.fold_lists.read import read_fold_lists
from tests.fold_list_files import (
    CKPLUS_FRAMES,
    position_sliced_folds,
    released_folds,
    write_released,
)

Sides = tuple[str, str]
"""Training and test images of a fold, each a text of letters with a digit: `A1 A2 B1`."""


def lists_of(*folds: Sides, classes: dict[str, str] | None = None) -> FoldLists:
    """Image `A1` shows subject A; it is of sequence `A` unless its digit is above 4, then of none."""
    names = sorted({name for fold in folds for side in fold for name in side.split()})
    images = {
        name: ListedImage(
            name=name,
            subject=name[0],
            sequence=f"{name[0]}" if int(name[1]) <= 4 else None,
            expression=(classes or {}).get(name),
        )
        for name in names
    }
    listed = tuple(
        ListedFold(index=index, train=tuple(train.split()), test=tuple(test.split()))
        for index, (train, test) in enumerate(folds)
    )
    return FoldLists(kind="table", images=images, folds=listed)


def found(audit: Audit) -> dict[str, Finding]:
    """The findings by rule, but for the note that no classes are known."""
    return {finding.rule: finding for finding in audit.findings if finding.rule != "class unknown"}


def test_the_released_ckplus_lists_are_disjoint_and_covering(tmp_path: Path) -> None:
    audit = judge(read_fold_lists(write_released(tmp_path, released_folds())))
    assert not audit.leaks
    assert found(audit) == {}
    assert audit.verdict == (
        "disjoint and covering: each of the 981 images is tested once in 10 folds, and none of the 118 "
        "subjects is in training and test of one fold"
    )
    assert [row.test_images for row in audit.sizes] == [78, 72, 114, 90, 90, 93, 111, 108, 114, 111]
    assert {row.train_images + row.test_images for row in audit.sizes} == {981}
    assert {row.train_subjects + row.test_subjects for row in audit.sizes} == {118}


def test_the_released_table_brings_classes_and_they_are_counted() -> None:
    audit = judge(read_fold_lists(CKPLUS_FRAMES))
    assert not audit.leaks
    assert {row.train_classes for row in audit.sizes} == {7}
    (note,) = audit.findings
    assert (note.severity, note.rule) == ("note", "class absent from test")
    # Contempt is tested in folds 0 and 1 only, and fold 0 tests four classes (docs/methods.md, §1).
    assert note.what == "9 of 10 folds have a class with no test image"
    assert note.example.startswith("fold 0: disgust, happiness, surprise; fold 2: contempt; ")


@pytest.mark.parametrize("order", ["class", "shuffled"])
def test_a_position_sliced_list_of_the_same_images_leaks_and_is_counted(tmp_path: Path, order: str) -> None:
    folds = position_sliced_folds(order)
    leaked, subjects, sequences = 0, set(), 0
    for train, test in folds:
        for name in test:
            if any(other[:4] == name[:4] for other in train):
                leaked += 1
                subjects.add(name[:4])
        sequences += len({name[:8] for name in test} & {name[:8] for name in train})
    assert 700 < leaked <= 981
    audit = judge(read_fold_lists(write_released(tmp_path, folds)))
    assert audit.leaks
    assert audit.verdict == f"leaks: {leaked} of 981 test images have their subject in training"
    overlap = found(audit)["subject overlap"]
    assert f"10 of 10 folds and {len(subjects)} subjects are affected" in overlap.example
    if order == "shuffled":
        assert found(audit)["sequence overlap"].what.startswith(f"{sequences} times")


def test_an_image_in_training_and_test_is_a_leak() -> None:
    findings = found(judge(lists_of(("A1 B1", "B1 C1"), ("C1", "A1"))))
    assert {rule for rule, finding in findings.items() if finding.severity == "leak"} == {
        "subject overlap", "image overlap", "sequence overlap",
    }  # fmt: skip
    assert findings["image overlap"].example == "fold 0 trains and tests on B1"
    assert findings["subject overlap"].what == "1 of 3 test images have their subject in training"


def test_images_without_sequences_leak_by_subject_alone() -> None:
    findings = found(judge(lists_of(("A5 B5", "A6"), ("A5 A6", "B5"))))
    assert set(findings) == {"subject overlap", "never tested"}
    assert findings["subject overlap"].example.startswith("fold 0 tests A6 and trains on A5; 1 of 2 folds")


def test_duplicates_and_gaps_are_warnings_and_change_the_verdict() -> None:
    audit = judge(lists_of(("A1 A1 B1", "C1 C1"), ("A1 C1 D1", "B1"), ("B1 D1", "C1")))
    findings = found(audit)
    assert not audit.leaks
    assert {rule: finding.severity for rule, finding in findings.items()} == {
        "listed twice": "warning",
        "never tested": "warning",
        "tested repeatedly": "warning",
    }
    assert findings["listed twice"].what.startswith("2 times")
    assert findings["listed twice"].example == "A1 in the training list of fold 0"
    assert findings["never tested"].what == "2 of 4 images are never tested"
    assert findings["tested repeatedly"].example == "C1"
    assert audit.verdict.startswith("disjoint, but not covering: none of the 4 subjects")
    assert audit.verdict.endswith("of 4 images 2 are never tested and 1 more than once")


def test_images_that_a_fold_neither_trains_nor_tests_are_a_note() -> None:
    audit = judge(lists_of(("A1", "B1"), ("B1 C1", "A1"), ("A1 B1", "C1")))
    (note,) = found(audit).values()
    assert (note.severity, note.rule) == ("note", "left out")
    assert note.example == "fold 0 neither trains nor tests on C1"
    assert audit.verdict.startswith("disjoint and covering")


def test_a_single_split_need_not_cover() -> None:
    audit = judge(lists_of(("A1 B1", "C1")))
    assert {finding.severity for finding in audit.findings} == {"note"}
    assert audit.verdict.endswith("the one split tests 1 of 3 images")


def test_two_spellings_of_a_subject_hide_no_leak() -> None:
    audit = judge(lists_of(("a1 B1", "A1"), ("A1", "B1")))
    findings = found(audit)
    assert findings["subject overlap"].what == "1 of 2 test images have their subject in training"
    assert findings["subject spelling"].example == "A and a"


def test_a_class_that_a_fold_cannot_learn_is_a_warning() -> None:
    classes = {"A1": "anger", "B1": "fear", "C1": "anger"}
    audit = judge(lists_of(("A1 C1", "B1"), ("B1 C1", "A1"), ("A1 B1", "C1"), classes=classes))
    findings = found(audit)
    assert findings["class absent from training"].severity == "warning"
    assert findings["class absent from training"].example == "fold 0: fear"
    assert findings["class absent from test"].example == "fold 0: anger; fold 1: fear; fold 2: fear"
    assert [row.train_classes for row in audit.sizes] == [1, 2, 2]


def test_leaks_come_first_and_the_record_is_json() -> None:
    extra = Finding(severity="note", rule="x", what="y", example="", remedy="z")
    audit = judge(lists_of(("A1 B1", "A2"), ("A2", "B1")), [extra])
    severities = [finding.severity for finding in audit.findings]
    assert severities == sorted(severities, key=["leak", "warning", "note"].index)
    assert severities[-1] == "note"
    record = json.loads(json.dumps(audit.as_record(), allow_nan=False))
    assert (record["format"], record["leaks"], record["verdict"]) == ("fold-audit", True, audit.verdict)
    assert [finding["rule"] for finding in record["findings"]] == [f.rule for f in audit.findings]
    assert record["sizes"][0]["train_images"] == 2


def test_a_leak_found_in_the_images_is_the_verdict_where_the_lists_are_clean() -> None:
    leak = Finding(severity="leak", rule="x", what="2 pictures are on both sides", example="", remedy="")
    assert (
        judge(lists_of(("A1", "B1"), ("B1", "A1")), [leak]).verdict == "leaks: 2 pictures are on both sides"
    )
