"""Views of MMI's clips: the user's word first, then the shape, the known subjects, and symmetry."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets.mmi_views import VIEW_OF_SUBJECT, View, find_view, read_orientations, symmetry
from datasets.raw.clips import Clip
from platform.errors import UserError


def face(width: int = 120, height: int = 150) -> np.ndarray:
    """A plain drawing of a frontal face, uint8 (height, width, 3)."""
    image = np.full((height, width, 3), 90, dtype=np.uint8)
    x, y = width // 2, height // 2
    cv2.ellipse(image, (x, y), (40, 55), 0, 0, 360, (180, 170, 160), -1)
    for side in (-1, 1):
        cv2.circle(image, (x + 17 * side, y - 15), 6, (40, 40, 40), -1)
        cv2.line(image, (x + 8 * side, y - 28), (x + 26 * side, y - 30), (60, 50, 50), 3)
    cv2.ellipse(image, (x, y + 30), (18, 6), 0, 0, 360, (120, 60, 60), -1)
    return image


def profile(width: int = 120, height: int = 150) -> np.ndarray:
    """The same from the side: one eye, a nose, half a mouth."""
    image = np.full((height, width, 3), 90, dtype=np.uint8)
    x, y = width // 2, height // 2
    cv2.ellipse(image, (x + 15, y), (40, 55), 0, 0, 360, (180, 170, 160), -1)
    cv2.circle(image, (x - 10, y - 15), 6, (40, 40, 40), -1)
    cv2.circle(image, (x - 28, y + 8), 9, (190, 180, 170), -1)
    cv2.ellipse(image, (x - 12, y + 30), (10, 6), 0, 0, 360, (120, 60, 60), -1)
    return image


def clip(path: Path, frame: np.ndarray) -> Clip:
    """A clip of four frames like `frame`."""
    height, width = frame.shape[:2]
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, codec, 24.0, (width, height))
    for _ in range(4):
        writer.write(np.ascontiguousarray(frame))
    writer.release()
    return Clip(path)


FILMED = {
    "whole": (face(190), View(0, "whole", "symmetry")),
    "left": (np.hstack([face(), profile()]), View(0, "left", "symmetry")),
    "right": (np.hstack([profile(), face()]), View(0, "right", "symmetry")),
    "turned": (np.rot90(face()), View(90, "whole", "symmetry")),
}
"""Frames wider than tall, and the view that shows the face in them."""


@pytest.mark.parametrize("kind", FILMED)
def test_symmetry_finds_the_frontal_face(tmp_path: Path, kind: str) -> None:
    frame, view = FILMED[kind]
    assert find_view(clip(tmp_path / "S200-1.avi", frame), "S200-1", {}) == view


def test_a_near_tie_names_the_clip_the_measurements_and_the_remedy(tmp_path: Path) -> None:
    two = clip(tmp_path / "S200-1.avi", np.hstack([face(), face()]))
    with pytest.raises(
        UserError,
        match=r"S200-1\.avi cannot be told by symmetry \(whole .*left .*right .*turned .*for S200-1 or for "
        r"S200 into orientation\.csv .*clip, rotation_degrees, frontal",
    ):
        find_view(two, "S200-1", {})


@pytest.mark.parametrize(
    ("subject", "expected"),
    [("S001", View(0, "right", "subject")), ("S015", View(0, "left", "subject")),
     ("S054", View(0, "whole", "subject")), ("S050", View(90, "whole", "subject"))],
)  # fmt: skip
def test_fmpns_subjects_are_known(tmp_path: Path, subject: str, expected: View) -> None:
    plain = clip(tmp_path / "x.avi", np.zeros((64, 80, 3), dtype=np.uint8))
    assert find_view(plain, f"{subject}-100", {}) == expected


def test_the_known_subjects_are_those_of_the_released_lists() -> None:
    numbers = [1, 2, 3, 5, 6, 15, 16, 28, *range(30, 51), 53, 54]
    assert set(VIEW_OF_SUBJECT) == {f"S{number:03d}" for number in numbers} | {"S017"}


def test_what_is_not_wider_than_tall_is_whole(tmp_path: Path) -> None:
    upright = clip(tmp_path / "x.avi", face())
    assert find_view(upright, "S001-100", {}) == View(0, "whole", "shape")


def test_the_users_word_goes_first_and_a_clip_before_its_subject(tmp_path: Path) -> None:
    path = tmp_path / "orientation.csv"
    path.write_text("clip,rotation_degrees,frontal,note\ns001-100,270,whole,x\nS001,,left,y\nS002,180,,\n")
    views = read_orientations(tmp_path)
    upright = clip(tmp_path / "x.avi", face())
    assert find_view(upright, "S001-100", views) == View(270, "whole", "orientation.csv")
    assert find_view(upright, "S001-101", views) == View(0, "left", "orientation.csv")
    assert find_view(upright, "s002-007", views) == View(180, "whole", "orientation.csv")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("clip,frontal\nS001,left\n", "lacks the columns rotation_degrees"),
        ("clip,rotation_degrees,frontal\nS001,45,left\n", "line 2: rotation_degrees is '45'"),
        ("clip,rotation_degrees,frontal\nS001,90,middle\n", "line 2: frontal is 'middle'"),
        (
            "clip,rotation_degrees,frontal\nS001,0,left\ns001,0,right\n",
            "line 3: the clip 's001' is listed twice",
        ),
        ("clip,rotation_degrees,frontal\n,0,left\n", "line 2: the clip '' is missing"),
        ("clip,rotation_degrees,frontal\nS001,90\n", "line 2: it has 2 cells, but its header has 3"),
        ("clip,rotation_degrees,frontal\n" + '"' + "x" * 200_000, "line 2: field larger"),
        ("", "is empty"),
    ],
)
def test_a_wrong_orientation_is_named(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "orientation.csv").write_text(text)
    with pytest.raises(UserError, match=rf"orientation\.csv.*{fault}"):
        read_orientations(tmp_path)


def test_views_turn_clockwise_and_then_cut() -> None:
    frame = np.arange(12, dtype=np.uint8).reshape(3, 4, 1)
    assert View(90, "whole", "").apply(frame)[..., 0].tolist() == [
        [8, 4, 0],
        [9, 5, 1],
        [10, 6, 2],
        [11, 7, 3],
    ]
    assert View(0, "left", "").apply(frame)[..., 0].tolist() == [[0, 1], [4, 5], [8, 9]]
    assert View(180, "right", "").apply(frame)[..., 0].tolist() == [[9, 8], [5, 4], [1, 0]]
    # The middle column of an odd width belongs to neither half.
    assert View(270, "right", "").apply(frame)[..., 0].tolist() == [[11], [10], [9], [8]]
    assert View(0, "whole", "").apply(frame).flags.c_contiguous


def test_a_view_says_what_it_is() -> None:
    assert str(View(0, "right", "subject")) == "right half, by subject"
    assert str(View(90, "whole", "symmetry")) == "whole frame, turned by 90 degrees, by symmetry"


def test_symmetry_of_mirror_images_walls_and_noise() -> None:
    assert symmetry(face().astype(float)) > 0.95
    assert symmetry(np.full((90, 120, 3), 128.0)) < 1e-6
    noise = np.random.default_rng(0).uniform(0, 255, (90, 120, 3))
    assert symmetry(noise) < 0.3
