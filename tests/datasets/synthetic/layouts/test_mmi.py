"""MMI's layout: what is drawn is what MMI's adapter reads, whichever way it was filmed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets import mmi
from datasets.alignment.similarity import (
    align,
    five_points_from_68,
    residual,
    similarity_transform,
    template_points,
)
from datasets.mmi_views import VIEW_OF_SUBJECT, read_orientations
from datasets.raw.landmark_matching import attach_landmarks
from datasets.raw.landmarks import read_landmarks
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import mmi as layout
from datasets.synthetic.parameters import SetParameters

SMALL = SetParameters(subjects=5, frames=4, difficulty=0.3, seed=0, size_pixels=48)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All clips of five subjects: each way of filming, and an unlabelled clip."""
    root = tmp_path_factory.mktemp("mmi")
    rows = [row for place in layout.places(SMALL) for row in layout.write_sequence(root, SMALL, *place)]
    layout.finish(root, SMALL, rows)
    return root


def test_the_adapter_reads_the_six_expressions_and_no_other(written: Path) -> None:
    assert len(list((written / "Sessions").glob("*/*.avi"))) == len(layout.places(SMALL)) == 36
    records = mmi.read_records(written)
    counts = Counter(record.expression for record in records if record.role == "expressive")
    assert counts == dict.fromkeys(mmi.EXPRESSION_OF_CODE.values(), 3 * SMALL.subjects)
    neutral = [record.subject_id for record in records if record.role == "neutral"]
    assert neutral == sorted(layout.subject_name(SMALL, subject) for subject in range(5))


@pytest.mark.parametrize("subject", range(4))
def test_frames_show_the_drawn_face_upright(written: Path, subject: int) -> None:
    name = layout.subject_name(SMALL, subject)
    records = [one for one in mmi.read_records(written) if one.sequence_id == f"{name}_104"]
    assert [one.frame for one in records if one.role == "expressive"] == [2, 3, 4]
    apex = next(one for one in records if one.frame == 3)
    frame = mmi.read_frame(written, apex)
    drawn = draw_frame(SMALL, subject, 4, 3)[0]
    top, left = ((frame.shape[axis] - 48) // 2 for axis in (0, 1))
    shown = frame[top : top + 48, left : left + 48]
    assert np.abs(shown.astype(int) - drawn).mean() < 6  # JPEG's loss
    view, expected = mmi.view_of(written, apex.source), layout.subject_view(subject)
    assert (view.rotation_degrees, view.part) == (expected.rotation_degrees, expected.part)
    assert view.decided_by == "subject"


def test_landmarks_belong_to_the_frontal_view(written: Path) -> None:
    records = attach_landmarks(mmi.read_records(written), read_landmarks(written / "landmarks.csv"))
    for record in records:
        assert record.landmarks is not None
        assert residual(record.landmarks) < 0.08
    for subject in range(4):
        name = layout.subject_name(SMALL, subject)
        record = next(one for one in records if one.sequence_id == f"{name}_104" and one.frame == 3)
        picture, drawn = draw_frame(SMALL, subject, 4, 3)
        transforms = [
            similarity_transform(five, template_points(32))
            for five in (record.landmarks, five_points_from_68(drawn))
            if five is not None
        ]
        faces = [align(image, transform, 32).astype(int) for image, transform in zip(
            (mmi.read_frame(written, record), picture), transforms, strict=True
        )]  # fmt: skip
        assert np.abs(faces[0] - faces[1]).mean() < 6


def test_clips_are_wider_than_tall_and_go_up_and_back(written: Path) -> None:
    for path in (written / "Sessions").glob("*/*.avi"):
        clip = mmi.Clip(path)
        width, height = clip.size
        assert 1.2 < width / height < 1.3
        assert width % 2 == height % 2 == 0
        assert clip.count() == 2 * SMALL.frames - 1
    clip = mmi.Clip(next(written.glob("Sessions/*/S053-106.avi")))
    first = clip.read(0).astype(int)
    changes = [np.abs(clip.read(frame) - first).mean() for frame in range(7)]
    assert np.argmax(changes) == 3  # surprise, at its apex
    assert 0 < changes[6] < changes[5] / 2  # back at neutral, but no copy


def test_the_same_bytes_every_time_and_with_any_number_of_threads(written: Path, tmp_path: Path) -> None:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for subject in range(2):
            layout.write_sequence(tmp_path, SMALL, subject, 3)
    finally:
        cv2.setNumThreads(threads)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 6
    for path in files:
        assert path.read_bytes() == (written / path.relative_to(tmp_path)).read_bytes()


def test_who_is_not_mmis_subject_has_a_line_in_orientation_csv(tmp_path: Path) -> None:
    many = SetParameters(subjects=24, frames=4, difficulty=0.3, seed=0, size_pixels=48)
    layout.finish(tmp_path, many, [])
    views = read_orientations(tmp_path)
    names = [layout.subject_name(many, subject) for subject in range(24)]
    assert len(set(names)) == 24
    others = {"S109", "S113", "S114", "S117", "S118", "S121", "S122", "S123"}
    assert set(views) == set(names) - set(VIEW_OF_SUBJECT) == others
    for subject, name in enumerate(names):
        view = views.get(name) or VIEW_OF_SUBJECT[name]
        assert (view.rotation_degrees, view.part) == (
            layout.subject_view(subject).rotation_degrees, layout.subject_view(subject).part,
        )  # fmt: skip


def test_a_wild_set_has_other_people(tmp_path: Path) -> None:
    wild = SetParameters(subjects=2, frames=4, difficulty=0.3, seed=0, size_pixels=48, in_the_wild=True)
    for sequence in (0, 4):
        layout.write_sequence(tmp_path, wild, 1, sequence)
    layout.write_sequence(tmp_path, wild, 0, 4)
    layout.finish(tmp_path, wild, [])
    records = mmi.read_records(tmp_path)
    assert {record.subject_id for record in records} == {"S601", "S602"}
    assert mmi.view_of(tmp_path, records[-1].source).decided_by == "orientation.csv"
