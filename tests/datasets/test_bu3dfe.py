"""BU-3DFE: all levels are expressive and NE is neutral, and every fault of a copy is named with its file."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import bu3dfe
from datasets.raw.choices import BadItems, Choices
from datasets.synthetic.layouts import bu3dfe as layout
from platform.errors import UserError
from tests.layout_trees import set_parameters, write_layout

EXPRESSIONS = {
    "AN": "anger", "DI": "disgust", "FE": "fear", "HA": "happiness", "SA": "sadness", "SU": "surprise",
}  # fmt: skip


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two synthetic people, F0001 and M0001."""
    return write_layout(layout, tmp_path_factory.mktemp("sets") / "bu3dfe", set_parameters(2, frames=5))


@pytest.fixture
def tree(drawn: Path, tmp_path: Path) -> Path:
    """A copy of them to spoil."""
    return Path(shutil.copytree(drawn, tmp_path / "bu3dfe"))


def test_four_levels_of_six_expressions_and_a_neutral_face_of_each_subject(drawn: Path) -> None:
    records = bu3dfe.read_records(drawn)
    assert {record.image_name: (record.subject_id, record.expression, record.role) for record in records} == {
        f"{subject}_{code}_{level:08d}": (subject, expression, "expressive")
        for subject in ("F0001", "M0001")
        for code, expression in EXPRESSIONS.items()
        for level in (1, 2, 3, 4)
    } | {f"{subject}_NE_00000000": (subject, "neutral", "neutral") for subject in ("F0001", "M0001")}
    assert len(records) == 50
    assert all(record.landmarks is None for record in records)


def test_a_record_leads_to_its_image(drawn: Path) -> None:
    record = next(one for one in bu3dfe.read_records(drawn) if one.image_name == "M0001_HA_00000003")
    assert record.source == "M0001/M0001_HA03BL_F2D.bmp"
    np.testing.assert_array_equal(
        bu3dfe.read_frame(drawn, record), np.array(Image.open(drawn / record.source))
    )


def test_reading_twice_gives_the_same(drawn: Path) -> None:
    first, second = ([(one.image_name, one.source) for one in bu3dfe.read_records(drawn)] for _ in range(2))
    assert first == second


def test_case_is_read_leniently(tree: Path) -> None:
    expected = [(record.image_name, record.subject_id) for record in bu3dfe.read_records(tree)]
    for path in list((tree / "F0001").iterdir()):
        path.rename(path.with_name(path.name.lower()))
    (tree / "F0001").rename(tree / "f0001")
    found = [(record.image_name, record.subject_id) for record in bu3dfe.read_records(tree)]
    assert sorted(found) == sorted(expected)


def test_other_files_are_passed_over(tree: Path) -> None:
    expected = [record.source for record in bu3dfe.read_records(tree)]
    (tree / "readme.txt").write_text("x")
    (tree / "documents").mkdir()
    for name in (
        "F0001_AN01WH_F3D.wrl",
        "F0001_AN01WH_F3D.bmp",
        ".DS_Store",
        "Thumbs.db",
        "F0001_AN01WH.bnd",
    ):
        (tree / "F0001" / name).write_bytes(b"x")
    assert [record.source for record in bu3dfe.read_records(tree)] == expected


def test_listed_frames_can_be_chosen_and_other_choices_have_no_meaning(drawn: Path) -> None:
    listed = frozenset({("F0001_AN", 4), ("M0001_SU", 3)})
    records = bu3dfe.read_records(drawn, Choices(frames=listed))
    assert {(one.sequence_id, one.frame) for one in records if one.role == "expressive"} == listed
    assert Counter(record.role for record in records) == {"expressive": 2, "neutral": 2}
    with pytest.raises(UserError, match="F0009_AN_00000004; correct the list"):
        bu3dfe.read_records(drawn, Choices(frames=frozenset({("F0009_AN", 4)})))
    with pytest.raises(UserError, match="--whole-sequences has no meaning for BU-3DFE"):
        bu3dfe.read_records(drawn, Choices(whole_sequences=True))


def test_a_wrong_folder_is_told_what_it_looks_like(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"one subject's folder, so pass --source {drawn}\."):
        bu3dfe.read_records(drawn / "F0001")
    with pytest.raises(UserError, match=rf"found bu3dfe.*; pass --source {drawn}\."):
        bu3dfe.read_records(drawn.parent)
    (tmp_path / "S001").mkdir()
    with pytest.raises(UserError, match=r"expected .*F0001, M0001 .*found S001; pass --source the folder"):
        bu3dfe.read_records(tmp_path)


def rename(tree: Path, name: str) -> str:
    (tree / "F0001/F0001_FE02WH_F2D.bmp").rename(tree / "F0001" / name)
    return re.escape(f"F0001/{name}")


def spoil_level(tree: Path) -> str:
    return rename(tree, "F0001_FE05WH_F2D.bmp") + " names expression FE at level 05"


def spoil_expression(tree: Path) -> str:
    return rename(tree, "F0001_XX02WH_F2D.bmp") + " names expression XX"


def spoil_neutral_level(tree: Path) -> str:
    return rename(tree, "F0001_NE02WH_F2D.bmp") + " names expression NE at level 02"


def spoil_name(tree: Path) -> str:
    return rename(tree, "fear2_F2D.bmp") + " is not named F0001_"


def spoil_subject(tree: Path) -> str:
    return rename(tree, "F0002_FE02WH_F2D.bmp") + " is not named F0001_"


@pytest.mark.parametrize(
    "spoil", [spoil_level, spoil_expression, spoil_neutral_level, spoil_name, spoil_subject]
)
def test_a_photograph_with_a_bad_name_stops_or_is_left_out_alone(
    tree: Path, spoil: Callable[[Path], str]
) -> None:
    fault = spoil(tree)
    with pytest.raises(UserError, match=fault):
        bu3dfe.read_records(tree)
    bad = BadItems(skip=True)
    names = {record.image_name for record in bu3dfe.read_records(tree, bad=bad)}
    assert re.search(fault, bad.left_out[0][1])
    assert bad.left_out[1:] == [("F0001_FE02", "this photograph of the subject is missing")]
    assert len(names) == 49
    assert "F0001_FE_00000002" not in names


def test_photographs_that_are_missing_are_counted(tree: Path) -> None:
    for subject, level in (("F0001", "AN03WH"), ("F0001", "SU01WH"), ("M0001", "AN03BL")):
        (tree / subject / f"{subject}_{level}_F2D.bmp").unlink()
    with pytest.raises(UserError, match=r"lacks 3 of the 50 photographs of its 2 subjects, .* F0001_AN03"):
        bu3dfe.read_records(tree)
    bad = BadItems(skip=True)
    assert len(bu3dfe.read_records(tree, bad=bad)) == 47
    assert [item for item, _ in bad.left_out] == ["F0001_AN03", "F0001_SU01", "M0001_AN03"]


def test_a_photograph_twice_is_named(tree: Path) -> None:
    shutil.copy(tree / "F0001/F0001_FE02WH_F2D.bmp", tree / "F0001/F0001_FE02BL_F2D.bmp")
    with pytest.raises(UserError, match=r"F0001 holds FE02 twice, F0001_FE02BL_F2D\.bmp and F0001_FE02WH"):
        bu3dfe.read_records(tree)
    bad = BadItems(skip=True)
    assert len(bu3dfe.read_records(tree, bad=bad)) == 50
    assert [item for item, _ in bad.left_out] == ["F0001/F0001_FE02WH_F2D.bmp"]


def test_a_subject_spelled_two_ways_is_named(tree: Path) -> None:
    shutil.copytree(tree / "F0001", tree / "f0001")
    with pytest.raises(UserError, match="one subject under two spellings, F0001 and f0001"):
        bu3dfe.read_records(tree)
    bad = BadItems(skip=True)
    assert len(bu3dfe.read_records(tree, bad=bad)) == 50
    assert [item for item, _ in bad.left_out] == ["f0001"]


def test_a_subject_without_its_neutral_face_is_named(tree: Path) -> None:
    (tree / "F0001/F0001_NE00WH_F2D.bmp").unlink()
    with pytest.raises(UserError, match=r"F0001 lacks the subject's neutral face"):
        bu3dfe.read_records(tree)
    bad = BadItems(skip=True)
    assert {record.subject_id for record in bu3dfe.read_records(tree, bad=bad)} == {"M0001"}
    assert [item for item, _ in bad.left_out] == ["F0001"]


@pytest.mark.parametrize(
    ("keep", "fault"), [(0, "is empty"), (1000, "is not a readable image"), (10, "is not a readable image")]
)
def test_a_bad_image_is_named_when_it_is_read(tree: Path, keep: int, fault: str) -> None:
    path = tree / "F0001/F0001_FE02WH_F2D.bmp"
    path.write_bytes(path.read_bytes()[:keep])
    record = next(one for one in bu3dfe.read_records(tree) if one.image_name == "F0001_FE_00000002")
    with pytest.raises(UserError, match=rf"F0001_FE02WH_F2D\.bmp {fault}"):
        bu3dfe.read_frame(tree, record)


def test_an_image_that_links_out_of_the_tree_is_refused(tree: Path) -> None:
    path = tree / "F0001/F0001_FE02WH_F2D.bmp"
    path.rename(tree.parent / "outside.bmp")
    path.symlink_to(tree.parent / "outside.bmp")
    record = next(one for one in bu3dfe.read_records(tree) if one.image_name == "F0001_FE_00000002")
    with pytest.raises(UserError, match="leaves the data set's folder"):
        bu3dfe.read_frame(tree, record)
