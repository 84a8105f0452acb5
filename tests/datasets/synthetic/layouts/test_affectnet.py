"""AffectNet's older layout is written as documented: hashed names, two lists, all codes."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import affectnet
from tests.layout_trees import contents, set_parameters, write_layout

PARAMETERS = set_parameters(subjects=2, frames=6)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layout(affectnet, tmp_path_factory.mktemp("sets") / "affectnet", PARAMETERS)


def lines(root: Path, name: str) -> list[dict[str, str]]:
    with (root / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_image_is_listed_once_and_every_listed_image_is_there(written: Path) -> None:
    listed = [
        line["subDirectory_filePath"] for name in affectnet.STANDARD_LISTS for line in lines(written, name)
    ]
    images = written / "Manually_Annotated_Images"
    assert sorted(listed) == sorted(
        path.relative_to(images).as_posix() for path in images.rglob("*") if path.is_file()
    )
    assert len(listed) == 4 * len(affectnet.places(PARAMETERS)) == 4 * 15
    assert len(lines(written, "validation.csv")) == 6


def test_names_tell_nothing_of_person_and_frame(written: Path) -> None:
    images = list((written / "Manually_Annotated_Images").rglob("*.jpg"))
    assert len({path.stem for path in images}) == len(images)
    assert all(len(path.stem) == 56 and int(path.stem, 16) >= 0 for path in images)


def test_all_codes_occur_and_one_subject_has_images_without_an_expression(written: Path) -> None:
    codes = Counter(
        int(line["expression"]) for name in affectnet.STANDARD_LISTS for line in lines(written, name)
    )
    assert codes == {0: 15, **dict.fromkeys(range(1, 8), 6), 8: 1, 9: 1, 10: 1}


def test_a_line_has_the_drawn_landmarks_and_their_box(written: Path) -> None:
    # The first sequence's second image: the fourth frame of six, which is the first of the last three.
    line = lines(written, "training.csv")[1]
    picture, points = draw_frame(PARAMETERS, 0, 0, 3)
    stored = np.array([float(value) for value in line["facial_landmarks"].split(";")]).reshape(68, 2)
    np.testing.assert_allclose(stored, points, atol=1e-4)
    left, top, width, height = (int(line[name]) for name in ("face_x", "face_y", "face_width", "face_height"))
    assert ((points >= (left, top)) & (points <= (left + width, top + height))).all()
    image = cv2.imread(str(written / "Manually_Annotated_Images" / line["subDirectory_filePath"]))
    assert np.abs(image[:, :, ::-1].astype(int) - picture).mean() < 4  # JPEG
    assert line["expression"] == "6"


def test_the_same_bytes_twice(written: Path, tmp_path: Path) -> None:
    assert contents(write_layout(affectnet, tmp_path, PARAMETERS)) == contents(written)
