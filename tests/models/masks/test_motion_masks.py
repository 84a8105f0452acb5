from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from datasets.folds.view import FoldView
from datasets.masks.controls import CONTROLS, WITHOUT_MASKS, control_masks
from datasets.masks.motion_masks import build_masks
from platform.errors import UserError
from platform.models.artifact import ArtifactData, Content
from platform.models.masks.motion_masks import ControlMasks, MotionMasks, content_of, masks_of
from tests.tiny_faces import CLASSES, tiny_store

NO_TOOLS: Any = None


def view() -> FoldView:
    return FoldView(tiny_store(4), train_subjects=["S01", "S02"], evaluation_subjects=(), role="final")


def made(artifact: MotionMasks | ControlMasks, inputs: dict[str, Content] | None = None) -> Content:
    return artifact.make(view(), NO_TOOLS, inputs or {}, NO_TOOLS)


def test_masks_are_those_of_the_views_training_subjects_and_keep_their_classes() -> None:
    content = made(MotionMasks())
    assert list(content.files) == ["masks.npy"]
    assert content.facts == {"classes": list(CLASSES)}
    np.testing.assert_array_equal(masks_of(content, CLASSES).images, build_masks(view()).images)
    turned = masks_of(content, CLASSES[::-1])
    np.testing.assert_array_equal(turned.images[::-1], masks_of(content, CLASSES).images)
    with pytest.raises(UserError, match="the source lacks contempt"):
        masks_of(content, (*CLASSES, "contempt"))


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_replaces_masks_and_rests_on_them_only_if_it_shows_them(name: str) -> None:
    control = MotionMasks().control(name, of="1234")
    assert isinstance(control, ControlMasks)
    assert control.rests_on == (() if name in WITHOUT_MASKS else ("masks",))
    own = build_masks(view())
    inputs = {"masks": content_of(own)} if control.rests_on else {}
    np.testing.assert_array_equal(
        masks_of(made(control, inputs), CLASSES).images, control_masks(name, own).images
    )


def test_an_unknown_control_is_named() -> None:
    with pytest.raises(UserError, match="unknown mask control 'permute'; did you mean 'permuted'"):
        MotionMasks().control("permute", of="1234")


def test_data_without_a_neutral_face_of_each_subject_are_refused_with_a_way_out() -> None:
    known = {
        "dataset": "synthetic_wild", "title": "Wild", "class_names": ("anger",), "subjects": ("A", "B"),
        "classes_of_subject": {"A": frozenset({"anger"})},
    }  # fmt: skip
    MotionMasks().check_data(ArtifactData(neutral_faces={"A": 1, "B": 1}, **known), "FMPN")
    with pytest.raises(UserError, match=r"1 of 2 training subjects of Wild .*the first, B, has 2.*--masks"):
        MotionMasks().check_data(ArtifactData(neutral_faces={"A": 1, "B": 2}, **known), "FMPN")
    with pytest.raises(UserError, match=r"of every class.*without fear"):
        MotionMasks().check_data(
            ArtifactData(neutral_faces={"A": 1, "B": 1}, **{**known, "class_names": ("anger", "fear")}),
            "FMPN",
        )
