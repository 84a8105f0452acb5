"""CK+: the paper's frames are chosen, and every fault of a copy is named with its file."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import ckplus
from datasets.raw.choices import Choices
from platform.errors import UserError
from tests.raw_trees import face_points, write_ckplus

SEQUENCES = {"S005_001": "disgust", "S010_001": None, "S010_002": "surprise", "S010_004": "anger"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tiny CK+: two subjects, three labelled sequences and an unlabelled one, five frames each."""
    return write_ckplus(tmp_path / "ckplus", SEQUENCES)


def test_the_papers_frames_are_chosen(tree: Path) -> None:
    chosen = {record.image_name: (record.expression, record.role) for record in ckplus.read_records(tree)}
    expected = {
        f"{sequence}_{frame:08d}": (expression, "expressive")
        for sequence, expression in SEQUENCES.items()
        if expression is not None
        for frame in (3, 4, 5)
    }
    # One neutral face a subject: the first frame of the first sequence with a label.
    expected["S005_001_00000001"] = expected["S010_002_00000001"] = ("neutral", "neutral")
    assert chosen == expected


def test_a_record_leads_to_its_frame_and_landmarks(tree: Path) -> None:
    record = next(one for one in ckplus.read_records(tree) if one.image_name == "S010_004_00000005")
    assert (record.subject_id, record.sequence_id, record.frame) == ("S010", "S010_004", 5)
    assert record.source == "cohn-kanade-images/S010/004/S010_004_00000005.png"
    expected = np.array(Image.open(tree / record.source))
    np.testing.assert_array_equal(ckplus.read_frame(tree, record), np.repeat(expected[..., None], 3, axis=2))
    assert record.landmarks is not None
    np.testing.assert_allclose(record.landmarks, face_points(3 + 5 / 2), atol=1e-4)


def test_files_that_a_mac_or_windows_adds_are_passed_over(tree: Path) -> None:
    expected = [record.image_name for record in ckplus.read_records(tree)]
    for folder in (tree, tree / "Emotion", tree / "Emotion/S005", tree / "cohn-kanade-images/S005/001"):
        (folder / ".DS_Store").write_bytes(b"x")
        (folder / "Thumbs.db").write_bytes(b"x")
    assert [record.image_name for record in ckplus.read_records(tree)] == expected


def test_without_a_landmarks_folder_records_have_none(tree: Path) -> None:
    shutil.rmtree(tree / "Landmarks")
    assert all(record.landmarks is None for record in ckplus.read_records(tree))


def test_frames_are_ordered_by_number_and_not_by_name(tmp_path: Path) -> None:
    tree = write_ckplus(tmp_path, {"S001_001": "fear"})
    for part, end in (("cohn-kanade-images", ".png"), ("Landmarks", "_landmarks.txt")):
        folder = tree / part / "S001/001"
        for old, new in ((3, "8"), (4, "9"), (5, "10")):
            (folder / f"S001_001_{old:08d}{end}").rename(folder / f"S001_001_{new}{end}")
    label = tree / "Emotion/S001/001/S001_001_00000005_emotion.txt"
    label.rename(label.with_name("S001_001_10_emotion.txt"))
    frames = [record.frame for record in ckplus.read_records(tree) if record.role == "expressive"]
    assert frames == [8, 9, 10]


def test_a_wrong_folder_is_told_what_was_expected_and_found(tree: Path) -> None:
    with pytest.raises(UserError, match=r"expected cohn-kanade-images/.*found 001, 002, 004"):
        ckplus.read_records(tree / "Emotion" / "S010")
    with pytest.raises(UserError, match=rf"pass --source {tree}\."):
        ckplus.read_records(tree.parent)


def test_missing_and_empty_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere does not exist"):
        ckplus.read_records(tmp_path / "nowhere")
    with pytest.raises(UserError, match="is empty"):
        ckplus.read_records(tmp_path)


def test_a_tree_without_any_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="labels no sequence"):
        ckplus.read_records(write_ckplus(tmp_path, {"S001_001": None}))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("0.0000000e+00", "label code 0.0000000e.00"),
        ("8", "label code 8"),
        ("2.5", "label code 2.5"),
        ("nan", "label code nan"),
        ("angry", "'angry', not a number"),
        ("", "is empty"),
        (" \n", "'', not a number"),
    ],
)
def test_a_wrong_label_is_named_with_its_file(tree: Path, text: str, fault: str) -> None:
    (tree / "Emotion/S005/001/S005_001_00000005_emotion.txt").write_text(text)
    with pytest.raises(UserError, match=rf"S005_001_00000005_emotion\.txt.*{fault}"):
        ckplus.read_records(tree)


def test_two_labels_of_a_sequence_are_refused(tree: Path) -> None:
    (tree / "Emotion/S005/001/S005_001_00000004_emotion.txt").write_text("3")
    with pytest.raises(UserError, match="holds 2 labels"):
        ckplus.read_records(tree)


def test_a_sequence_needs_four_frames_so_that_neutral_is_not_expressive(tmp_path: Path) -> None:
    assert len(ckplus.read_records(write_ckplus(tmp_path / "four", {"S001_001": "fear"}, frame_count=4))) == 4
    with pytest.raises(UserError, match=r"S001/001 has 3 frames .* at least 4 are needed"):
        ckplus.read_records(write_ckplus(tmp_path / "three", {"S001_001": "fear"}, frame_count=3))


def test_a_labelled_sequence_without_its_images_is_named(tree: Path) -> None:
    shutil.rmtree(tree / "cohn-kanade-images/S010/004")
    with pytest.raises(
        UserError, match=r"Emotion/S010/004 labels a sequence, but its folder .*004 is missing"
    ):
        ckplus.read_records(tree)


def test_a_frame_of_another_sequence_is_named(tree: Path) -> None:
    folder = tree / "cohn-kanade-images/S010/004"
    shutil.copy(folder / "S010_004_00000001.png", folder / "S010_002_00000009.png")
    with pytest.raises(UserError, match=r"S010_002_00000009\.png is not named S010_004_<frame>\.png"):
        ckplus.read_records(tree)


def test_a_missing_landmark_file_matters_only_for_wanted_frames(tree: Path) -> None:
    folder = tree / "Landmarks/S005/001"
    (folder / "S005_001_00000002_landmarks.txt").unlink()
    assert len(ckplus.read_records(tree)) == 11
    (folder / "S005_001_00000004_landmarks.txt").unlink()
    with pytest.raises(UserError, match=r"S005_001_00000004_landmarks\.txt of a wanted frame is missing"):
        ckplus.read_records(tree)


@pytest.mark.parametrize("text", ["1 2\n" * 67, "1 2\n" * 69, "1 x\n" * 68, "1 inf\n" * 68])
def test_a_landmark_file_must_hold_68_points(tree: Path, text: str) -> None:
    (tree / "Landmarks/S005/001/S005_001_00000005_landmarks.txt").write_text(text)
    with pytest.raises(UserError, match=r"S005_001_00000005_landmarks\.txt"):
        ckplus.read_records(tree)


def test_a_label_that_links_out_of_the_tree_is_refused(tree: Path) -> None:
    outside = tree.parent / "label.txt"
    outside.write_text("1")
    label = tree / "Emotion/S005/001/S005_001_00000005_emotion.txt"
    label.unlink()
    label.symlink_to(outside)
    with pytest.raises(UserError, match="leaves the data set's folder"):
        ckplus.read_records(tree)


def test_a_subject_spelled_in_two_ways_is_refused(tree: Path) -> None:
    for part in ("cohn-kanade-images", "Emotion", "Landmarks"):
        shutil.copytree(tree / part / "S005", tree / part / "s005")
        for path in [path for path in (tree / part / "s005").rglob("S005*") if path.is_file()]:
            path.rename(path.with_name(path.name.replace("S005", "s005")))
    with pytest.raises(UserError, match="Emotion spells one subject in two ways, 'S005' and 's005'"):
        ckplus.read_records(tree)


def test_a_label_named_after_another_sequence_is_not_believed(tree: Path) -> None:
    folder = tree / "Emotion/S005/001"
    next(folder.iterdir()).rename(folder / "S010_004_00000005_emotion.txt")
    with pytest.raises(UserError, match=r"S010_004_00000005_emotion\.txt is named after another sequence"):
        ckplus.read_records(tree)


@pytest.mark.parametrize("frame", [1, 2, 3, 4, 5])
def test_a_frame_that_decides_which_are_taken_is_missed(tree: Path, frame: int) -> None:
    (tree / f"cohn-kanade-images/S010/004/S010_004_0000000{frame}.png").unlink()
    if frame == 2:  # neither the first nor among the last three
        assert len(ckplus.read_records(tree)) == 11
    else:
        with pytest.raises(UserError, match=rf"S010/004 lacks frames .*\({frame}; it has 4, "):
            ckplus.read_records(tree)


def test_upper_case_labels_and_landmarks_are_read(tree: Path) -> None:
    expected = [(one.image_name, one.expression) for one in ckplus.read_records(tree)]
    for path in [*tree.rglob("*_emotion.txt"), *tree.rglob("*_landmarks.txt")]:
        path.rename(path.with_name(path.name.upper()))
    records = ckplus.read_records(tree)
    assert [(one.image_name, one.expression) for one in records] == expected
    assert all(one.landmarks is not None for one in records)
    assert sum(ckplus.label_codes(tree).values()) == 4


def test_a_subject_in_another_case_is_proposed(tree: Path) -> None:
    (tree / "cohn-kanade-images/S005").rename(tree / "cohn-kanade-images/s005")
    with pytest.raises(UserError, match=r"images holds s005: rename it\), as for 1 of the 3 labelled"):
        ckplus.read_records(tree)


def test_listed_frames_in_another_case_are_proposed(tree: Path) -> None:
    with pytest.raises(UserError, match=r"s005_001_00000004 \(did you mean S005_001\?\)"):
        ckplus.read_records(tree, Choices(frames=frozenset({("s005_001", 4)})))
