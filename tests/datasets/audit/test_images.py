from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets.audit.audited_images import FolderImages, StoreImages
from datasets.audit.images import image_findings
from datasets.fold_lists.listed_images import Finding, FoldLists, ListedFold, ListedImage
from datasets.fold_lists.read import read_fold_lists
from datasets.folds.rules import paper_folds
from platform.errors import UserError
from tests.tiny_faces import noise, prepare_tiny

FOLDS = (("A1 A2 B1", "C1 C2"), ("C1 C2", "A1 A2 B1"))
"""Training and test images; the letter is the subject."""


def lists_of(*folds: tuple[str, str]) -> FoldLists:
    names = sorted({name for fold in folds for side in fold for name in side.split()})
    images = {
        f"{name}.png": ListedImage(name=f"{name}.png", subject=name[0], sequence=None, expression=None)
        for name in names
    }
    listed = tuple(
        ListedFold(
            index=index,
            train=tuple(f"{name}.png" for name in train.split()),
            test=tuple(f"{name}.png" for name in test.split()),
        )
        for index, (train, test) in enumerate(folds)
    )
    return FoldLists(kind="table", images=images, folds=listed)


def write(folder: Path, **images: np.ndarray) -> FolderImages:
    for name, image in images.items():
        assert cv2.imwrite(str(folder / f"{name}.png"), image)
    return FolderImages(folder)


def pictures(**changes: np.ndarray) -> dict[str, np.ndarray]:
    """One picture of its own for each image of FOLDS, with `changes`."""
    return {**{name: noise(name, 40) for name in ("A1", "A2", "B1", "C1", "C2")}, **changes}


def found(folder: Path, lists: FoldLists | None = None, **changes: np.ndarray) -> dict[str, Finding]:
    findings = image_findings(lists or lists_of(*FOLDS), write(folder, **pictures(**changes)))
    return {finding.rule: finding for finding in findings}


def test_different_pictures_give_no_finding_and_progress_is_told(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    images = write(tmp_path, **pictures())
    assert image_findings(lists_of(*FOLDS), images, lambda done, total: steps.append((done, total))) == []
    assert steps == [(done, 5) for done in range(1, 6)]


def test_equal_pixels_in_training_and_test_are_a_leak(tmp_path: Path) -> None:
    (leak,) = found(tmp_path, C2=noise("A1", 40)).values()
    assert (leak.severity, leak.rule) == ("leak", "equal images on both sides")
    assert leak.what.startswith("1 images")
    assert leak.example == "the pixels of A1.png, C2.png are equal"


def test_equal_pixels_on_one_side_are_less(tmp_path: Path) -> None:
    findings = found(tmp_path, B1=noise("A1", 40), C2=noise("C1", 40))
    assert {rule: finding.severity for rule, finding in findings.items()} == {
        "equal images of two subjects": "warning",
        "equal images of one subject": "note",
    }


def test_near_duplicates_of_two_subjects_are_counted_with_those_that_cross(tmp_path: Path) -> None:
    brighter = {"B1": noise("A1", 40) + 9, "C2": noise("A2", 40) + 5}
    (warning,) = found(tmp_path, **brighter).values()
    assert (warning.severity, warning.rule) == ("warning", "near duplicates across subjects")
    assert warning.what.startswith("2 pairs of images of different subjects look the same, 1 of them")
    assert ".png, correlation 1.000" in warning.example


def test_missing_unreadable_and_unlisted_images_are_named(tmp_path: Path) -> None:
    images = write(tmp_path, **pictures(D9=noise("D9", 40)))
    (tmp_path / "A1.png").unlink()
    (tmp_path / "B1.png").write_bytes(b"no image")
    findings = {finding.rule: finding for finding in image_findings(lists_of(*FOLDS), FolderImages(tmp_path))}
    assert {rule: finding.severity for rule, finding in findings.items()} == {
        "image missing": "warning",
        "image unreadable": "warning",
        "image not listed": "note",
    }
    assert findings["image missing"].what == f"1 of 5 listed images are not in {images.where}"
    assert findings["image missing"].example == "A1.png"
    assert "B1.png is not a readable image" in findings["image unreadable"].example
    assert findings["image not listed"].example == "D9.png"


def test_a_folder_with_none_of_the_images_is_the_wrong_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none of the 5 listed images .*A1\.png.*; pass the folder"):
        image_findings(lists_of(*FOLDS), write(tmp_path, other=noise("x", 40)))


def test_a_stores_own_plan_is_clean_and_another_class_is_reported(tmp_path: Path) -> None:
    store = prepare_tiny(tmp_path, subjects=3)
    (tmp_path / "folds.json").write_text(paper_folds(store.subjects.tolist(), 3).to_json())
    lists = read_fold_lists(tmp_path / "folds.json", store)
    assert image_findings(lists, StoreImages(store)) == []
    name = "S01_001_00000001"
    wrong = {**lists.images, name: replace(lists.images[name], expression="disgust")}
    (warning,) = image_findings(replace(lists, images=wrong), StoreImages(store))
    assert (warning.severity, warning.rule) == ("warning", "label order against names")
    assert warning.example == f"{name} is disgust in the lists and anger in the store"
