"""AffectNet: a list, part or label that is missing is missed, and names are found in any case."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from datasets import affectnet
from datasets.raw.choices import BadItems
from platform.errors import UserError


@pytest.fixture
def older(drawn_layouts: dict[str, Path], tmp_path: Path) -> Path:
    """A copy to spoil, with CSV lists."""
    return Path(shutil.copytree(drawn_layouts["affectnet"], tmp_path / "older"))


@pytest.fixture
def newer(drawn_layouts: dict[str, Path], tmp_path: Path) -> Path:
    """A copy to spoil, with `.npy` files."""
    return Path(shutil.copytree(drawn_layouts["affectnet_npy"], tmp_path / "newer"))


def names(root: Path, bad: BadItems | None = None) -> list[str]:
    return [record.image_name for record in affectnet.read_records(root, bad=bad)]


@pytest.mark.parametrize(
    ("name", "other"), [("training.csv", "validation.csv"), ("validation.csv", "training.csv")]
)
def test_one_of_the_two_lists_alone_is_not_enough(older: Path, name: str, other: str) -> None:
    (older / name).rename(older.parent / name)
    with pytest.raises(
        UserError, match=rf"holds one of AffectNet's two lists, but lacks {name}; put it there"
    ):
        names(older)
    bad = BadItems(skip=True)
    assert names(older, bad)
    assert bad.left_out == [(name, "this list is missing")]
    (older / other).rename(older / "mine.csv")  # lists of other names stand for all
    assert names(older)


def test_lists_apart_from_each_other_are_told(older: Path) -> None:
    (older / "Manually_Annotated_file_lists").mkdir()
    (older / "validation.csv").rename(older / "Manually_Annotated_file_lists/validation.csv")
    with pytest.raises(UserError, match=r"lacks validation\.csv"):
        names(older)


def test_listed_images_that_are_missing_are_counted_and_unlisted_ones_named(older: Path) -> None:
    first, second, *_ = (record.source for record in affectnet.read_records(older))
    (older / first).unlink()
    (older / second).rename((older / second).with_name("other.jpg"))
    with pytest.raises(UserError, match=rf"lacks 2 of the 63 images wanted, the first being {first}"):
        names(older)
    bad = BadItems(skip=True)
    assert len(names(older, bad)) == 61
    assert [item for item, _ in bad.left_out] == [first, second]
    assert [Path(name).name for name in bad.beside] == ["other.jpg"]


@pytest.mark.parametrize("layout", ["older", "newer"])
def test_images_in_another_case_are_found(layout: str, request: pytest.FixtureRequest) -> None:
    root = request.getfixturevalue(layout)
    before = names(root)
    for path in list(root.rglob("*.jpg")):
        path.rename(path.with_suffix(".JPG"))
    records = affectnet.read_records(root)
    assert [record.image_name for record in records] == before
    assert affectnet.read_frame(root, records[0]).shape == (48, 48, 3)


def test_an_image_without_its_label_is_counted(newer: Path) -> None:
    for number in (0, 2):
        (newer / f"train_set/annotations/{number}_exp.npy").unlink()
    with pytest.raises(UserError, match=r"2 of 84 images of .* have no label, .* train_set/images/0\.jpg"):
        names(newer)
    bad = BadItems(skip=True)
    assert names(newer, bad)
    assert [item for item, _ in bad.left_out] == ["train_set/images/0.jpg", "train_set/images/2.jpg"]


@pytest.mark.parametrize("part", ["train_set", "val_set"])
def test_one_of_the_two_parts_alone_is_not_enough(newer: Path, part: str) -> None:
    shutil.rmtree(newer / part)
    with pytest.raises(UserError, match=rf"lacks {part}/annotations, one of AffectNet's two parts"):
        names(newer)


def test_annotations_in_another_case_are_read(newer: Path) -> None:
    before = [(one.image_name, one.expression) for one in affectnet.read_records(newer)]
    for path in list(newer.rglob("*.npy")):
        path.rename(path.with_name(path.name.upper()))
    records = affectnet.read_records(newer)
    assert [(one.image_name, one.expression) for one in records] == before
    assert all(record.landmarks is not None for record in records)
