"""Oulu-CASIA: VL Strong's last three frames are chosen, and every fault of a copy is named with its file."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import oulu_casia
from datasets.raw.choices import BadItems, Choices
from datasets.synthetic.layouts import oulu_casia as layout
from platform.errors import UserError
from tests.layout_trees import set_parameters, write_layout

TOP = "PreProcess_Img/VL_Acropped/Strong"
EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two synthetic people, six sequences of four frames each."""
    return write_layout(layout, tmp_path_factory.mktemp("sets") / "oulu", set_parameters(subjects=2))


@pytest.fixture
def tree(drawn: Path, tmp_path: Path) -> Path:
    """A copy of them to spoil."""
    return Path(shutil.copytree(drawn, tmp_path / "oulu"))


def test_the_usual_protocols_frames_are_chosen(drawn: Path) -> None:
    records = oulu_casia.read_records(drawn)
    chosen = {record.image_name: (record.expression, record.role) for record in records}
    expected = {
        f"{subject}_{expression.capitalize()}_{frame:08d}": (expression, "expressive")
        for subject in ("P001", "P002")
        for expression in EXPRESSIONS
        for frame in (1, 2, 3)
    }
    # One neutral face a subject: the first frame of the first sequence.
    expected["P001_Anger_00000000"] = expected["P002_Anger_00000000"] = ("neutral", "neutral")
    assert chosen == expected
    assert {record.subject_id for record in records} == {"P001", "P002"}
    assert all(record.landmarks is None for record in records)


def test_a_record_leads_to_its_image(drawn: Path) -> None:
    record = next(one for one in oulu_casia.read_records(drawn) if one.image_name == "P002_Fear_00000003")
    assert record.source == f"{TOP}/P002/Fear/003.jpeg"
    image = oulu_casia.read_frame(drawn, record)
    assert image.shape == (48, 48, 3)
    np.testing.assert_array_equal(image, np.array(Image.open(drawn / record.source)))


def test_reading_twice_gives_the_same(drawn: Path) -> None:
    first, second = (
        [(one.image_name, one.source, one.role) for one in oulu_casia.read_records(drawn)] for _ in range(2)
    )
    assert first == second


def test_other_illuminations_and_near_infrared_are_not_read(tree: Path) -> None:
    expected = [record.source for record in oulu_casia.read_records(tree)]
    for other in ("VL_Acropped/Weak", "VL_Acropped/Dark", "NI_Acropped/Strong"):
        shutil.copytree(tree / TOP, tree / "PreProcess_Img" / other)
    assert [record.source for record in oulu_casia.read_records(tree)] == expected


@pytest.mark.parametrize("top", ["PreProcessImg", "PreProcess", "preprocess_img"])
def test_spellings_of_folders_and_extensions_are_read_leniently(tree: Path, top: str) -> None:
    expected = [record.image_name for record in oulu_casia.read_records(tree)]
    (tree / TOP / "P002/Fear/003.jpeg").rename(tree / TOP / "P002/Fear/3.JPG")
    (tree / TOP / "P002/Anger").rename(tree / TOP / "P002/anger")
    (tree / TOP / "P002").rename(tree / TOP / "p002")
    (tree / TOP).rename(tree / "PreProcess_Img/VL_Acropped/strong")
    (tree / "PreProcess_Img").rename(tree / top)
    records = oulu_casia.read_records(tree)
    assert [record.image_name for record in records] == expected
    assert {record.subject_id for record in records} == {"P001", "P002"}
    assert all((tree / record.source).is_file() for record in records)


def test_files_that_a_mac_or_windows_adds_are_passed_over(tree: Path) -> None:
    expected = [record.image_name for record in oulu_casia.read_records(tree)]
    for folder in (tree, tree / TOP, tree / TOP / "P001", tree / TOP / "P001/Anger"):
        (folder / ".DS_Store").write_bytes(b"x")
        (folder / "Thumbs.db").write_bytes(b"x")
    assert [record.image_name for record in oulu_casia.read_records(tree)] == expected


def test_whole_sequences_and_listed_frames_can_be_chosen(drawn: Path) -> None:
    whole = oulu_casia.read_records(drawn, Choices(whole_sequences=True))
    assert Counter(record.role for record in whole) == {"expressive": 36, "context": 10, "neutral": 2}
    listed = frozenset({("P001_Fear", 2), ("P002_Surprise", 3)})
    records = oulu_casia.read_records(drawn, Choices(frames=listed))
    assert {(record.sequence_id, record.frame) for record in records if record.role == "expressive"} == listed
    with pytest.raises(UserError, match=r"P009_Fear_00000002; correct the list"):
        oulu_casia.read_records(drawn, Choices(frames=frozenset({("P009_Fear", 2)})))
    with pytest.raises(UserError, match="--per-class has no meaning for Oulu-CASIA"):
        oulu_casia.read_records(drawn, Choices(per_class=5))


@pytest.mark.parametrize(
    ("folder", "likeness"),
    [
        ("PreProcess_Img", "PreProcess_Img itself"),
        ("PreProcess_Img/VL_Acropped", "VL_Acropped itself"),
        (TOP, "Strong itself"),
        (f"{TOP}/P001", "a subject's folder itself"),
    ],
)
def test_a_wrong_folder_is_told_what_it_looks_like(drawn: Path, folder: str, likeness: str) -> None:
    with pytest.raises(UserError, match=rf"it looks like {likeness}, so pass --source {drawn}\."):
        oulu_casia.read_records(drawn / folder)


def test_a_folder_too_high_or_of_the_uncropped_images_is_recognised(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"pass --source {drawn}\."):
        oulu_casia.read_records(drawn.parent)
    (tmp_path / "OriginalImg/VL/Strong").mkdir(parents=True)
    with pytest.raises(UserError, match=r"found OriginalImg; it looks like the uncropped images"):
        oulu_casia.read_records(tmp_path)


def test_a_copy_without_strong_illumination_is_named(tree: Path) -> None:
    (tree / TOP).rename(tree / "PreProcess_Img/VL_Acropped/Weak")
    with pytest.raises(UserError, match=r"VL_Acropped lacks the folder Strong .* found Weak"):
        oulu_casia.read_records(tree)


def test_two_top_folders_are_refused(tree: Path) -> None:
    (tree / "PreProcess").mkdir()
    with pytest.raises(UserError, match="holds both PreProcess and PreProcess_Img"):
        oulu_casia.read_records(tree)


def spoil_short(tree: Path) -> str:
    (tree / TOP / "P002/Fear/001.jpeg").unlink()
    return "P002/Fear has 3 frames .* at least 4 are needed"


def spoil_empty(tree: Path) -> str:
    shutil.rmtree(tree / TOP / "P002/Fear")
    (tree / TOP / "P002/Fear").mkdir()
    return "P002/Fear has 0 frames"


def spoil_frame_name(tree: Path) -> str:
    (tree / TOP / "P002/Fear/001.jpeg").rename(tree / TOP / "P002/Fear/one.jpeg")
    return r"one\.jpeg is not named by its frame's number"


def spoil_frame_twice(tree: Path) -> str:
    shutil.copy(tree / TOP / "P002/Fear/001.jpeg", tree / TOP / "P002/Fear/1.jpg")
    return r"P002/Fear holds frame 1 twice, 001\.jpeg and 1\.jpg"


def spoil_expression(tree: Path) -> str:
    (tree / TOP / "P002/Fear").rename(tree / TOP / "P002/Feer")
    return "P002: unknown expression 'Feer'; did you mean 'Fear'"


@pytest.mark.parametrize(
    "spoil", [spoil_short, spoil_empty, spoil_frame_name, spoil_frame_twice, spoil_expression]
)
def test_a_bad_sequence_stops_or_is_left_out_alone(tree: Path, spoil: Callable[[Path], str]) -> None:
    fault = spoil(tree)
    with pytest.raises(UserError, match=fault):
        oulu_casia.read_records(tree)
    bad = BadItems(skip=True)
    records = oulu_casia.read_records(tree, bad=bad)
    assert len(bad.left_out) == 1
    assert re.search(fault, bad.left_out[0][1])
    assert {record.sequence_id for record in records} == {
        f"{subject}_{expression.capitalize()}"
        for subject in ("P001", "P002")
        for expression in EXPRESSIONS
        if (subject, expression) != ("P002", "fear")
    }


def test_where_the_first_sequence_is_left_out_the_next_gives_the_neutral_face(tree: Path) -> None:
    shutil.rmtree(tree / TOP / "P001/Anger")
    (tree / TOP / "P001/Anger").mkdir()
    records = oulu_casia.read_records(tree, bad=BadItems(skip=True))
    neutral = {record.subject_id: record.sequence_id for record in records if record.role == "neutral"}
    assert neutral == {"P001": "P001_Disgust", "P002": "P002_Anger"}


@pytest.mark.parametrize("other", ["p001", "P1"])
def test_a_subject_spelled_two_ways_is_named(tree: Path, other: str) -> None:
    (tree / TOP / other / "Fear").mkdir(parents=True)
    with pytest.raises(UserError, match=r"one subject under two spellings, .*P0*1"):
        oulu_casia.read_records(tree)
    bad = BadItems(skip=True)
    records = oulu_casia.read_records(tree, bad=bad)
    assert [item for item, _ in bad.left_out] == [f"{TOP}/{other}"]
    assert Counter(record.subject_id for record in records) == {"P001": 19, "P002": 19}


def test_an_expression_spelled_two_ways_is_named(tree: Path) -> None:
    shutil.copytree(tree / TOP / "P001/Fear", tree / TOP / "P001/fear")
    with pytest.raises(UserError, match="holds Fear under two spellings, Fear and fear"):
        oulu_casia.read_records(tree)


def test_a_folder_that_is_no_subjects_is_named(tree: Path) -> None:
    (tree / TOP / "people").mkdir()
    with pytest.raises(UserError, match="people is not named like a subject, P001"):
        oulu_casia.read_records(tree)


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"", "is empty"), (b"no image", "is not a readable image"), (None, "is not a readable image")],
)
def test_a_bad_image_is_named_when_it_is_read(tree: Path, content: bytes | None, fault: str) -> None:
    path = tree / TOP / "P001/Fear/003.jpeg"
    path.write_bytes(path.read_bytes()[:200] if content is None else content)
    record = next(one for one in oulu_casia.read_records(tree) if one.image_name == "P001_Fear_00000003")
    with pytest.raises(UserError, match=rf"P001/Fear/003\.jpeg {fault}"):
        oulu_casia.read_frame(tree, record)


def test_an_image_that_links_out_of_the_tree_is_refused(tree: Path) -> None:
    path = tree / TOP / "P001/Fear/003.jpeg"
    path.rename(tree.parent / "outside.jpeg")
    path.symlink_to(tree.parent / "outside.jpeg")
    record = next(one for one in oulu_casia.read_records(tree) if one.image_name == "P001_Fear_00000003")
    with pytest.raises(UserError, match="leaves the data set's folder"):
        oulu_casia.read_frame(tree, record)


def test_sequences_that_subjects_lack_are_counted(tree: Path) -> None:
    for one in ("P001/Fear", "P002/Anger", "P002/Sadness"):
        shutil.rmtree(tree / TOP / one)
    with pytest.raises(UserError, match=r"lacks 3 of the 12 sequences of its 2 subjects, .* being P001/Fear"):
        oulu_casia.read_records(tree)
    bad = BadItems(skip=True)
    assert len(oulu_casia.read_records(tree, bad=bad)) == 9 * 3 + 2
    assert [item for item, _ in bad.left_out] == ["P001/Fear", "P002/Anger", "P002/Sadness"]


def test_a_sequence_without_its_first_frame_is_named(tree: Path) -> None:
    folder = tree / TOP / "P001/Anger"
    shutil.copy(folder / "003.jpeg", folder / "004.jpeg")
    (folder / "000.jpeg").unlink()
    with pytest.raises(UserError, match=r"P001/Anger lacks frames .*\(0; it has 4, 1 to 4\)"):
        oulu_casia.read_records(tree)


def test_an_expression_under_another_name_is_proposed(tree: Path) -> None:
    (tree / TOP / "P002/Happiness").rename(tree / TOP / "P002/Happy")
    with pytest.raises(UserError, match="unknown expression 'Happy'; did you mean 'Happiness'"):
        oulu_casia.read_records(tree)
