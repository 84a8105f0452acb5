"""Oulu-CASIA's layout is written as documented: six expressions, frames numbered from 000."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import oulu_casia
from datasets.synthetic.performance import EXPRESSIONS
from tests.layout_trees import contents, set_parameters, write_layout

PARAMETERS = set_parameters(subjects=2, frames=5)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layout(oulu_casia, tmp_path_factory.mktemp("sets") / "oulu_casia", PARAMETERS)


def test_files_are_named_as_documented(written: Path) -> None:
    assert sorted(contents(written)) == [
        f"PreProcess_Img/VL_Acropped/Strong/{subject}/{expression}/{frame:03d}.jpeg"
        for subject in ("P001", "P002")
        for expression in ("Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise")
        for frame in range(5)
    ]


def test_a_folder_holds_what_it_says(written: Path) -> None:
    drawn, _ = draw_frame(PARAMETERS, 1, EXPRESSIONS.index("surprise"), 4)
    image = cv2.imread(str(written / "PreProcess_Img/VL_Acropped/Strong/P002/Surprise/004.jpeg"))
    assert np.abs(image[:, :, ::-1].astype(int) - drawn).mean() < 4  # JPEG


def test_the_people_of_an_in_the_wild_set_have_other_names(tmp_path: Path) -> None:
    wild = set_parameters(subjects=1, in_the_wild=True)
    oulu_casia.write_sequence(tmp_path, wild, 0, 0)
    assert [path.name for path in (tmp_path / "PreProcess_Img/VL_Acropped/Strong").iterdir()] == ["P501"]


def test_the_same_bytes_twice(written: Path, tmp_path: Path) -> None:
    assert contents(write_layout(oulu_casia, tmp_path, PARAMETERS)) == contents(written)
