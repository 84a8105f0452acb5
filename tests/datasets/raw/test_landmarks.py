"""The landmark CSV and FMPN's pickle: read as documented, and every fault named with its line."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from datasets.raw.choices import BadItems
from datasets.raw.image_key import image_key
from datasets.raw.landmarks import COLUMNS, read_landmarks
from platform.errors import UserError

HEADER = ",".join(COLUMNS)


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_points_keep_their_order(tmp_path: Path) -> None:
    path = write(tmp_path / "points.csv", HEADER, "S001_100_00000004.png,1,2,3,4,5,6,7,8,9,10.5")
    (points,) = read_landmarks(path).all_points
    np.testing.assert_array_equal(points, [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10.5]])
    assert points.dtype == np.float64


def test_the_columns_of_the_ckplus_vectors_are_read(root: Path) -> None:
    images = read_landmarks(root / "tests/data/ckplus_landmarks5_excerpt.csv").images
    assert len(images) == 60
    points = images["S005_001_00000001.png"].points
    assert points is not None
    assert points.tolist()[:2] == [[305.27, 202.26], [437.08, 196.11]]


@pytest.mark.parametrize(
    "name", ["S001_100_040.png", "S001_100_00000040", "imgs/S001_100_40.JPG", " S001_100_040 "]
)
def test_a_frame_is_the_same_however_it_is_written(name: str) -> None:
    assert image_key(name) == ("S001_100", 40)


@pytest.mark.parametrize("name", ["0a9b.jpg", "train/0a9b.PNG", " 0a9b.jpeg"])
def test_an_image_outside_a_sequence_is_frame_0_of_itself(name: str) -> None:
    assert image_key(name) == ("0a9b", 0)


@pytest.mark.parametrize("name", ["image", "", "_", ".png", "notes.txt"])
def test_what_names_no_image_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="does not end in"):
        image_key(name)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("S001_100_4,1,2,3,4,5,6,7,8,9,x", r"line 2: mouth_right_y is 'x', not a number"),
        ("S001_100_4,1,2,3,4,5,6,7,8,9", r"line 2: it has 10 cells, but its header has 11"),
        ("S001_100_4,nan,2,3,4,5,6,7,8,9,10", r"line 2: left_eye_x is 'nan', not a finite number"),
        ("picture,1,2,3,4,5,6,7,8,9,10", r"line 2: 'picture' does not end in _ and a frame number, nor"),
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


def test_images_with_several_faces_are_told(tmp_path: Path) -> None:
    lines = [f"{HEADER},faces_found"]
    lines += [f"S001_100_{frame},1,2,3,4,5,6,7,8,9,10,{faces}" for frame, faces in ((4, 1), (5, 2), (6, ""))]
    file = read_landmarks(write(tmp_path / "points.csv", *lines))
    assert [listed.has_several_faces for listed in file.images.values()] == [False, True, False]
    assert file.images["S001_100_5"].where == "points.csv, line 3"


@pytest.mark.parametrize("cell", ["nan", "NaN", "", "null"])
def test_an_image_without_points_is_listed_without_a_face(tmp_path: Path, cell: str) -> None:
    lines = (HEADER, f"S001_100_4{f',{cell}' * 10}", "S001_100_5,1,2,3,4,5,6,7,8,9,10")
    file = read_landmarks(write(tmp_path / "points.csv", *lines))
    assert file.images["S001_100_4"].points is None
    assert len(file.all_points) == 1


def test_a_wrong_line_may_be_left_out(tmp_path: Path) -> None:
    lines = (HEADER, "S001_100_4,1,2,3,4,5,6,7,8,9,x", "S001_100_5,1,2", "S001_100_6,1,2,3,4,5,6,7,8,9,10")
    bad = BadItems(skip=True)
    assert list(read_landmarks(write(tmp_path / "points.csv", *lines), bad).images) == ["S001_100_6"]
    (first, why), (second, _) = bad.left_out
    assert (first, second) == ("points.csv, line 2", "points.csv, line 3")
    assert why == "mouth_right_y is 'x', not a number"
    assert not any(str(tmp_path) in reason for _, reason in bad.left_out)


def as_released(points: np.ndarray, score: float = 1.0) -> list[np.ndarray]:
    """One face as MTCNN's boxes (1, 5) and landmarks (1, 10)."""
    return [np.array([[1.0, 2.0, 3.0, 4.0, score]]), points.T.reshape(1, 10)]


def write_pickle(path: Path, content: object, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_fmpns_pickle_gives_the_points_of_the_best_face(tmp_path: Path, protocol: int) -> None:
    face, other = np.arange(10.0).reshape(5, 2), np.arange(10.0).reshape(5, 2) + 50
    crowd = [
        np.concatenate(both) for both in zip(as_released(other, 0.7), as_released(face, 0.9), strict=True)
    ]
    content = {
        "author/CK+/S005_001_00000009.png": as_released(face),
        "author/CK+/S005_001_00000010.png": crowd,
        "author/CK+/S005_001_00000011.png": [np.zeros((0, 5)), np.zeros((0, 10))],
    }
    images = read_landmarks(write_pickle(tmp_path / "points.pkl", content, protocol)).images
    assert list(images) == list(content)
    first, second, third = images.values()
    for found in (first.points, second.points):
        np.testing.assert_array_equal(found, face)
    assert third.points is None
    assert [listed.has_several_faces for listed in images.values()] == [False, True, False]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ([1, 2], "must be a dict from images"),
        ({}, "must be a dict from images"),
        ({"a_1.png": [np.zeros((1, 4)), np.zeros((1, 10))]}, r"'a_1\.png' is invalid \(its boxes"),
        ({"a_1.png": [np.zeros((2, 5)), np.zeros((1, 10))]}, r"'a_1\.png' is invalid \(its boxes"),
        ({"a_1.png": [np.zeros((1, 5)), np.full((1, 10), np.nan)]}, "no image with a face"),
        ({"a_1.png": [np.zeros((1, 5))]}, r"'a_1\.png' is invalid"),
        ({"a_1.png": 5}, r"'a_1\.png' is invalid"),
        ({7: [np.zeros((1, 5)), np.zeros((1, 10))]}, "7 is invalid"),
        ({"x/a_1.png": as_released(np.ones((5, 2))), "x\\a_1.png": as_released(np.ones((5, 2)))}, "twice"),
        ({"a_1.png": [[], []]}, "no image with a face"),
    ],
)
def test_a_wrong_pickle_is_named(tmp_path: Path, content: object, fault: str) -> None:
    with pytest.raises(UserError, match=rf"points\.pkl.*{fault}"):
        read_landmarks(write_pickle(tmp_path / "points.pkl", content))


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'marker'}",)

    with pytest.raises(UserError, match=r"points\.pkl is not plain data"):
        read_landmarks(write_pickle(tmp_path / "points.pkl", {"a_1.png": Evil()}))
    assert not (tmp_path / "marker").exists()
