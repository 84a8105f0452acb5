"""What copying and renaming make of a name is known, and nothing else is."""

from __future__ import annotations

import pytest

from datasets.raw.near_names import is_document, nearest, without_copy_marks


@pytest.mark.parametrize(
    "name",
    [
        "S1_emotion (1).txt", "S1_emotion(2).txt", "S1_emotion - Copy.txt", "S1_emotion - Copy (2).txt",
        "S1_emotion - Kopie.txt", "S1_emotion copy.txt", "S1_emotion copy 2.txt", "S1_emotion.txt.txt",
        "S1_emotion.txt~", "S1_emotion.txt.bak", "S1_emotion.txt.part", " S1_emotion.txt ", "S1_emotion .txt",
        "S1_emotion.txt.crdownload", "S1_emotion.txt.1", "\uff33\uff11_emotion.txt",
    ],
)  # fmt: skip
def test_the_marks_of_a_copy_are_taken_off(name: str) -> None:
    assert without_copy_marks(name) == "S1_emotion.txt"
    assert without_copy_marks(f"Emotion (1)/S005 - Copy/{name}") == "Emotion/S005/S1_emotion.txt"


@pytest.mark.parametrize(
    "name", ["S005_001_00000001.png", "img_3.png", "F0001_AN01WH_F2D.bmp", "a", "001", "(1)"]
)
def test_other_names_stay(name: str) -> None:
    assert without_copy_marks(name) == name


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("s001", ["S001", "S002"], "S001"),
        ("Landmark", ["Landmarks", "Emotion"], "Landmarks"),
        ("trainset", ["train_set", "val_set"], "train_set"),
        ("Emotion (1)", ["Landmarks", "Emotion"], "Emotion"),
        ("FACS", ["Landmarks", "Emotion"], None),
    ],
)
def test_the_nearest_name(name: str, known: list[str], expected: str | None) -> None:
    assert nearest(name, known) == expected


def test_documents_and_archives_are_no_data() -> None:
    assert all(map(is_document, ("ReadMe.txt", "README", "licence.txt", "a.pdf", "train_set.tar", "x.z01")))
    assert not any(map(is_document, ("S1_emotion.txt", "readme.png", "labels.csv", "index_001.jpg")))
