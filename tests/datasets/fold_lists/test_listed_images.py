from __future__ import annotations

import pytest

from datasets.fold_lists.listed_images import FoldLists, ListedFold, ListedImage, parse_image_name, some


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("S005_001_00000009.png", ("S005", "S005_001", 9)),
        ("imgs/S001_100_040.PNG", ("S001", "S001_100", 40)),
        ("S005_001_00000009", ("S005", "S005_001", 9)),
        ("F0001_AN01WH_F2D.bmp", None),
        ("face_12.png", None),
        ("S005_001_.png", None),
    ],
)
def test_image_names_tell_subject_sequence_and_frame(name: str, parts: tuple[str, str, int] | None) -> None:
    assert parse_image_name(name) == parts


def test_known_classes_are_kept_and_unknown_ones_filled_in() -> None:
    images = {
        name: ListedImage(name=name, subject=name, sequence=None, expression=expression)
        for name, expression in (("a", "fear"), ("b", None), ("c", None))
    }
    fold = ListedFold(index=0, train=("a", "b"), test=("c",))
    lists = FoldLists(kind="table", images=images, folds=(fold,))
    filled = lists.with_expressions({"a": "anger", "b": "anger", "c": None})
    assert [image.expression for image in filled.images.values()] == ["fear", "anger", None]
    assert filled.folds == lists.folds


def test_some_names_the_first_and_counts_the_rest() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some("abcdef", most=2) == "a, b and 4 more"
