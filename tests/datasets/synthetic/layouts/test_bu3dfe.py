"""BU-3DFE's layout is written as documented: 25 photographs of each subject."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import bu3dfe
from datasets.synthetic.performance import EXPRESSIONS
from platform.errors import UserError
from tests.layout_trees import contents, set_parameters, write_layout

PARAMETERS = set_parameters(subjects=2, frames=6)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layout(bu3dfe, tmp_path_factory.mktemp("sets") / "bu3dfe", PARAMETERS)


def test_files_are_named_as_documented(written: Path) -> None:
    shown = sorted(
        [f"{code}{level:02d}" for code in ("AN", "DI", "FE", "HA", "SA", "SU") for level in (1, 2, 3, 4)]
        + ["NE00"]
    )
    assert sorted(contents(written)) == [
        f"{subject}/{subject}_{name}{ethnicity}_F2D.bmp"
        for subject, ethnicity in (("F0001", "WH"), ("M0001", "BL"))
        for name in shown
    ]
    assert len(contents(written)) == bu3dfe.frames_a_place(PARAMETERS) * len(bu3dfe.places(PARAMETERS))


def test_the_levels_are_the_last_four_frames_and_neutral_is_the_first(written: Path) -> None:
    fear = EXPRESSIONS.index("fear")
    for name, sequence, frame in (("FE01", fear, 2), ("FE04", fear, 5), ("NE00", 0, 0)):
        image = cv2.imread(str(written / f"M0001/M0001_{name}BL_F2D.bmp"))
        np.testing.assert_array_equal(image[:, :, ::-1], draw_frame(PARAMETERS, 1, sequence, frame)[0])


def test_four_frames_are_too_few_for_four_levels() -> None:
    with pytest.raises(UserError, match=r"at least 5 frames .* got 4; pass --frames 5"):
        bu3dfe.places(set_parameters(subjects=1, frames=4))


def test_every_subject_has_a_name_of_its_own_that_is_among_the_contents() -> None:
    for in_the_wild in (False, True):
        parameters = set_parameters(subjects=500, frames=5, in_the_wild=in_the_wild)
        names = {bu3dfe.subject_name(parameters, subject) for subject in range(500)}
        assert len(names) == 500
        assert names <= set(bu3dfe.CONTENTS)


def test_the_same_bytes_twice(written: Path, tmp_path: Path) -> None:
    assert contents(write_layout(bu3dfe, tmp_path, PARAMETERS)) == contents(written)
