"""A landmark file's lines find their images by path, frame or file name; who has none is said or left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets.raw.choices import BadItems
from datasets.raw.landmark_matching import (
    NO_FACE,
    NOT_LISTED,
    attach_landmarks,
    match_landmarks,
    several_faces,
)
from datasets.raw.landmarks import COLUMNS, LandmarkFile, read_landmarks
from datasets.records import FrameRecord
from platform.errors import UserError

HEADER = ",".join((*COLUMNS, "faces_found"))


def record(source: str, sequence: str, frame: int) -> FrameRecord:
    return FrameRecord(
        subject_id=sequence, sequence_id=sequence, frame=frame, expression="anger", role="expressive",
        source=source, landmarks=None,
    )  # fmt: skip


RECORDS = [
    record("anna/Anger/img_003.png", "anna_anger_img", 3),
    record("ben/Anger/img_003.png", "ben_anger_img", 3),
    record("ben/fear/scream.jpg", "ben_fear_scream", 0),
]


def landmark_file(folder: Path, *lines: str) -> LandmarkFile:
    """One that lists the images of `lines`, with points unless a line has some (or none) of its own."""
    rows = [line if "," in line else f"{line},1,2,3,4,5,6,7,8,9,10,1" for line in lines]
    (folder / "points.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return read_landmarks(folder / "points.csv")


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ("anna/Anger/img_003.png", 0),
        ("ben\\Anger\\img_003.png", 1),
        ("D:/faces/ben/Anger/img_003.png", 1),
        ("./anna/Anger/img_003", 0),
        ("anna_anger_img_003.png", 0),
        ("crops/ben_anger_img_00000003.png", 1),
        ("scream.jpg", 2),
        ("scream.png", 2),
        ("fear/scream.jpg", 2),
        ("elsewhere/scream.jpg", 2),
        ("carl/Anger/img_004.png", None),
    ],
)
def test_an_image_is_found_by_path_frame_or_file_name(tmp_path: Path, listed: str, found: int | None) -> None:
    matched = match_landmarks(RECORDS, landmark_file(tmp_path, listed))
    assert list(matched) == ([] if found is None else [RECORDS[found].image_name])


def test_a_file_name_of_two_images_is_refused_with_its_line(tmp_path: Path) -> None:
    file = landmark_file(tmp_path, "scream.jpg", "img_003.png")
    with pytest.raises(
        UserError, match=r"line 3: img_003\.png may be anna/Anger.* and ben/Anger.*write paths"
    ):
        match_landmarks(RECORDS, file)


def test_two_lines_of_one_image_are_refused(tmp_path: Path) -> None:
    file = landmark_file(tmp_path, "anna/Anger/img_003.png", "anna_anger_img_003.png")
    with pytest.raises(
        UserError, match=r"lists anna/Anger/img_003\.png twice \(points\.csv, line 2, and .*line 3"
    ):
        match_landmarks(RECORDS, file)


def test_frames_that_lack_a_face_stop_or_are_left_out_and_listed(tmp_path: Path) -> None:
    file = landmark_file(tmp_path, f"anna/Anger/img_003.png{',nan' * 10},0", "scream.jpg")
    with pytest.raises(
        UserError,
        match=r"lacks 2 of the 3 frames wanted \(1 of them are listed.*anna_anger.*--allow-missing 2",
    ):
        attach_landmarks(RECORDS, file)
    with pytest.raises(UserError, match="lacks 2 of the 3"):
        attach_landmarks(RECORDS, file, allow_missing=1)
    for bad, allowed in ((BadItems(), 2), (BadItems(skip=True), 0)):
        (left,) = attach_landmarks(RECORDS, file, bad, allowed)
        assert left.image_name == "ben_fear_scream_00000000"
        assert bad.left_out == [
            ("anna_anger_img_00000003", NO_FACE), ("ben_anger_img_00000003", NOT_LISTED),
        ]  # fmt: skip


def test_a_file_of_other_images_leaves_nothing_out(tmp_path: Path) -> None:
    file = landmark_file(tmp_path, "S005_001_00000001.png")
    with pytest.raises(
        UserError, match=r"lacks 3 of the 3 frames .*by path relative to the data set's folder"
    ):
        attach_landmarks(RECORDS, file, BadItems(skip=True), allow_missing=99)


def test_a_name_in_another_case_is_proposed(tmp_path: Path) -> None:
    file = landmark_file(tmp_path, "anna/Anger/img_003.png", "ben/Anger/img_003.png", "Scream.JPG")
    with pytest.raises(
        UserError, match=r"lacks 1 of the 3 frames .*it lists Scream\.JPG: use the data set's"
    ):
        attach_landmarks(RECORDS, file)


def test_images_with_several_faces_are_told_if_they_are_wanted(tmp_path: Path) -> None:
    file = landmark_file(
        tmp_path, "scream.jpg,1,2,3,4,5,6,7,8,9,10,2", "other_4.png,1,2,3,4,5,6,7,8,9,10,3"
    )  # fmt: skip
    assert several_faces(RECORDS, file) == ["ben_fear_scream_00000000"]
