"""The landmark CSV: read as documented, and every fault named with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets.landmarks import COLUMNS, attach_landmarks, image_key, read_landmarks
from datasets.records import FrameRecord
from platform.errors import UserError

HEADER = ",".join(COLUMNS)


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def record(frame: int) -> FrameRecord:
    return FrameRecord(
        subject_id="S001", sequence_id="S001_100", frame=frame, expression="anger",
        role="expressive", source="x", landmarks=None,
    )  # fmt: skip


def test_points_keep_their_order(tmp_path: Path) -> None:
    path = write(tmp_path / "points.csv", HEADER, "S001_100_00000004.png,1,2,3,4,5,6,7,8,9,10.5")
    points = read_landmarks(path)["S001_100", 4]
    np.testing.assert_array_equal(points, [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10.5]])
    assert points.dtype == np.float64


def test_the_columns_of_the_ckplus_vectors_are_read(root: Path) -> None:
    points = read_landmarks(root / "tests/data/ckplus_landmarks5_excerpt.csv")
    assert len(points) == 60
    assert points["S005_001", 1].tolist()[:2] == [[305.27, 202.26], [437.08, 196.11]]


@pytest.mark.parametrize(
    "name", ["S001_100_040.png", "S001_100_00000040", "imgs/S001_100_40.JPG", " S001_100_040 "]
)
def test_a_frame_is_the_same_however_it_is_written(name: str) -> None:
    assert image_key(name) == ("S001_100", 40)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("S001_100_4,1,2,3,4,5,6,7,8,9,x", r"line 2: mouth_right_y is 'x', not a number"),
        ("S001_100_4,1,2,3,4,5,6,7,8,9", r"line 2: mouth_right_y is None, not a number"),
        ("S001_100_4,nan,2,3,4,5,6,7,8,9,10", r"line 2: left_eye_x is 'nan', not a finite number"),
        ("picture.png,1,2,3,4,5,6,7,8,9,10", r"line 2: 'picture.png' does not end in _ and a frame number"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, fault: str) -> None:
    with pytest.raises(UserError, match=rf"points\.csv, {fault}"):
        read_landmarks(write(tmp_path / "points.csv", HEADER, line))


def test_an_image_listed_twice_is_named(tmp_path: Path) -> None:
    lines = (HEADER, "S001_100_4,1,2,3,4,5,6,7,8,9,10", "S001_100_004.png,1,2,3,4,5,6,7,8,9,10")
    with pytest.raises(UserError, match=r"line 3: .*listed twice"):
        read_landmarks(write(tmp_path / "points.csv", *lines))


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lacks the columns nose_x, nose_y"):
        read_landmarks(write(tmp_path / "points.csv", HEADER.replace("nose_x,nose_y,", "")))


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lists no images"):
        read_landmarks(write(tmp_path / "points.csv", HEADER))


def test_every_wanted_frame_must_be_listed_and_others_may(tmp_path: Path) -> None:
    points = {("S001_100", frame): np.full((5, 2), float(frame)) for frame in (4, 5, 99)}
    attached = attach_landmarks([record(4), record(5)], points, tmp_path / "points.csv")
    assert [one.landmarks[0, 0] for one in attached if one.landmarks is not None] == [4.0, 5.0]
    with pytest.raises(
        UserError, match=r"points\.csv lacks 2 of the 3 frames wanted, .*S001_100_00000006, S001_100_00000007"
    ):
        attach_landmarks([record(4), record(6), record(7)], points, tmp_path / "points.csv")
