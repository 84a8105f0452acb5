from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.alignment.landmark_detection import (
    DetectedFace,
    DetectionReport,
    detect_dense,
    detect_landmarks,
    image_sha256,
)
from datasets.alignment.similarity import five_points_from_68
from datasets.raw.choices import BadItems
from datasets.records import FrameRecord
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.parameters import SetParameters
from platform.errors import UserError

PARAMETERS = SetParameters(subjects=3, frames=4, difficulty=0.2, seed=5, size_pixels=64)


def record(subject: int, frame: int = 3, landmarks: np.ndarray | None = None) -> FrameRecord:
    return FrameRecord(
        subject_id=f"S{subject:03d}",
        sequence_id=f"S{subject:03d}_001",
        frame=frame,
        expression="happiness",
        role="expressive",
        source=f"{subject}/{frame}.png",
        landmarks=landmarks,
    )


def drawn(record: FrameRecord) -> tuple[np.ndarray, np.ndarray]:
    return draw_frame(PARAMETERS, int(record.subject_id[1:]), 4, record.frame)


def read_frame(record: FrameRecord) -> np.ndarray:
    return drawn(record)[0]


class KnownFaces:
    """A detector that knows the answers; `change` makes it err."""

    name = "known-faces-1"

    def __init__(self, records: list[FrameRecord]) -> None:
        self.faces = {}
        for each in records:
            image, points = drawn(each)
            self.faces[image_sha256(image)] = [DetectedFace(points=points, score=0.9)]
        self.calls: list[int] = []

    def of(self, record: FrameRecord) -> list[DetectedFace]:
        return self.faces[image_sha256(read_frame(record))]

    def detect(self, images: list[np.ndarray]) -> list[list[DetectedFace]]:
        self.calls.append(len(images))
        return [self.faces[image_sha256(image)] for image in images]


class NoNetwork:
    """The same detector where it cannot run."""

    name = KnownFaces.name

    def detect(self, images: list[np.ndarray]) -> list[list[DetectedFace]]:
        raise AssertionError("the cache must have answered")


RECORDS = [record(subject, frame) for subject in range(3) for frame in (0, 3)]


def points(records: list[FrameRecord]) -> np.ndarray:
    return np.stack([each.landmarks for each in records if each.landmarks is not None])


def test_each_frame_gets_the_five_points_of_its_face_and_a_second_run_needs_no_detector(
    tmp_path: Path,
) -> None:
    detector = KnownFaces(RECORDS)
    progress: list[tuple[int, int]] = []
    found, report = detect_landmarks(
        RECORDS, read_frame, detector, tmp_path, lambda done, total: progress.append((done, total))
    )
    expected = np.stack([five_points_from_68(drawn(each)[1]) for each in RECORDS])
    np.testing.assert_array_equal(points(found), expected)
    assert [replace(each, landmarks=None).image_name for each in found] == [r.image_name for r in RECORDS]
    assert progress[-1] == (6, 6)
    assert report == DetectionReport(
        detector=detector.name, frames=6, from_cache=0, several_faces=(), left_out=()
    )
    again, second = detect_landmarks(RECORDS, read_frame, NoNetwork(), tmp_path)
    np.testing.assert_array_equal(points(again), expected)
    assert second.from_cache == 6


def test_dense_points_are_those_of_the_same_face_from_the_same_cache(tmp_path: Path) -> None:
    detector = KnownFaces(RECORDS)
    faces = detector.of(RECORDS[0])
    faces.insert(0, DetectedFace(points=np.zeros((68, 2)), score=0.4))
    detector.of(RECORDS[1]).clear()
    progress: list[tuple[int, int]] = []
    dense = detect_dense(
        RECORDS, read_frame, detector, tmp_path, lambda done, total: progress.append((done, total))
    )
    assert set(dense) == {each.image_name for each in RECORDS} - {RECORDS[1].image_name}
    np.testing.assert_array_equal(dense[RECORDS[0].image_name], drawn(RECORDS[0])[1])
    assert progress[-1] == (6, 6)
    found, _ = detect_landmarks(RECORDS, read_frame, NoNetwork(), tmp_path, allow_missing=1)
    for each in found:
        np.testing.assert_array_equal(each.landmarks, five_points_from_68(dense[each.image_name]))


def test_dense_points_of_an_unreadable_frame_stop_the_run_or_are_absent(tmp_path: Path) -> None:
    def unreadable(one: FrameRecord) -> np.ndarray:
        if one is RECORDS[0]:
            raise UserError("0.png is not a readable image")
        return read_frame(one)

    detector = KnownFaces(RECORDS)
    with pytest.raises(UserError, match="not a readable image"):
        detect_dense(RECORDS, unreadable, detector, tmp_path)
    assert len(detect_dense(RECORDS, unreadable, detector, tmp_path, bad=BadItems(skip=True))) == 5


def test_the_cache_is_a_json_file_an_image_under_the_detectors_name(tmp_path: Path) -> None:
    detect_landmarks(RECORDS[:1], read_frame, KnownFaces(RECORDS), tmp_path)
    digest = image_sha256(read_frame(RECORDS[0]))
    files = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [f"known-faces-1/{digest}.json"]
    content = json.loads((tmp_path / "known-faces-1" / f"{digest}.json").read_text())
    assert content["format"] == "detected-faces"
    assert np.array(content["faces"][0]["points"]).shape == (68, 2)


@pytest.mark.parametrize("damage", ["", "{", '{"faces": []}', "points", "one digit"])
def test_a_damaged_cache_file_is_detected_again(tmp_path: Path, damage: str) -> None:
    detect_landmarks(RECORDS[:1], read_frame, KnownFaces(RECORDS), tmp_path)
    (path,) = (tmp_path / "known-faces-1").iterdir()
    sound = path.read_text()
    if damage == "points":
        content = json.loads(sound)
        content["faces"][0]["points"].pop()
        damage = json.dumps(content)
    if damage == "one digit":
        content = json.loads(sound)
        content["faces"][0]["points"][36][0] += 1.0
        damage = json.dumps(content)
    path.write_text(damage)
    detector = KnownFaces(RECORDS)
    _, report = detect_landmarks(RECORDS[:1], read_frame, detector, tmp_path)
    assert (detector.calls, report.from_cache) == ([1], 0)
    assert path.read_text() == sound


def test_a_cache_file_of_an_earlier_version_which_has_no_hash_of_its_own_is_used(tmp_path: Path) -> None:
    detect_landmarks(RECORDS[:1], read_frame, KnownFaces(RECORDS), tmp_path)
    (path,) = (tmp_path / "known-faces-1").iterdir()
    content = json.loads(path.read_text())
    del content["hash"]
    path.write_text(json.dumps(content))
    detector = KnownFaces(RECORDS)
    _, report = detect_landmarks(RECORDS[:1], read_frame, detector, tmp_path)
    assert (detector.calls, report.from_cache) == ([], 1)


def test_frames_with_landmarks_of_their_own_are_left_alone(tmp_path: Path) -> None:
    own = np.arange(10.0).reshape(5, 2)
    detector = KnownFaces(RECORDS)
    found, report = detect_landmarks(
        [record(0, 3, landmarks=own), RECORDS[3]], read_frame, detector, tmp_path
    )
    assert found[0].landmarks is own
    assert (report.frames, detector.calls) == (1, [1])


def test_of_several_faces_the_best_score_counts_and_they_are_reported(tmp_path: Path) -> None:
    detector = KnownFaces(RECORDS)
    faces = detector.of(RECORDS[0])
    faces.insert(0, DetectedFace(points=np.zeros((68, 2)), score=0.4))
    found, report = detect_landmarks(RECORDS, read_frame, detector, tmp_path)
    np.testing.assert_array_equal(points(found)[0], five_points_from_68(drawn(RECORDS[0])[1]))
    assert report.several_faces == ((RECORDS[0].image_name, 2),)
    assert f"    {RECORDS[0].image_name}: 2 faces" in report.lines()


def mirrored(face: DetectedFace) -> DetectedFace:
    """Left and right exchanged: no face can look like that."""
    return DetectedFace(points=(64.0, 0.0) - face.points * (1.0, -1.0), score=face.score)


@pytest.mark.parametrize(
    ("faces", "why"),
    [
        (lambda face: [], "no face found"),
        (lambda face: [DetectedFace(points=face.points - 40, score=1.0)], "leave the image"),
        (lambda face: [mirrored(face)], "no frontal face"),
        (lambda face: [DetectedFace(points=np.full((68, 2), 9.0), score=1.0)], "no frontal face"),
    ],
)
def test_frames_without_a_usable_face_stop_the_run_unless_they_are_allowed_for(
    tmp_path: Path, faces: Any, why: str
) -> None:
    detector = KnownFaces(RECORDS)
    for each in RECORDS[2:4]:
        detector.of(each)[:] = faces(detector.of(each)[0])
    with pytest.raises(UserError, match=f"in 2 of 6 frames.*{why}.*--allow-missing 2"):
        detect_landmarks(RECORDS, read_frame, detector, tmp_path, allow_missing=1)
    found, report = detect_landmarks(RECORDS, read_frame, NoNetwork(), tmp_path, allow_missing=2)
    assert [each.image_name for each in found] == [each.image_name for each in (*RECORDS[:2], *RECORDS[4:])]
    assert [name for name, _ in report.left_out] == [each.image_name for each in RECORDS[2:4]]
    assert all(why in reason for _, reason in report.left_out)
    assert "a face in 4 of 6 frames, 6 cached" in report.lines()[0]


def test_a_frame_that_cannot_be_read_stops_the_run_or_is_left_out(tmp_path: Path) -> None:
    def read_all_but_one(each: FrameRecord) -> np.ndarray:
        if each is RECORDS[1]:
            raise UserError("cut short")
        return read_frame(each)

    detector = KnownFaces(RECORDS)
    with pytest.raises(UserError, match="cut short"):
        detect_landmarks(RECORDS, read_all_but_one, detector, tmp_path)
    bad = BadItems(skip=True)
    found, report = detect_landmarks(RECORDS, read_all_but_one, detector, tmp_path, bad=bad)
    assert [each.image_name for each in found] == [r.image_name for r in RECORDS if r is not RECORDS[1]]
    assert bad.left_out == [(RECORDS[1].image_name, "cut short")]
    assert report.left_out == ()


def test_equal_images_are_looked_at_once(tmp_path: Path) -> None:
    detector = KnownFaces(RECORDS)
    twins = [RECORDS[0], replace(RECORDS[0], sequence_id="S009_001")]
    found, _ = detect_landmarks(twins, lambda _: read_frame(RECORDS[0]), detector, tmp_path)
    assert detector.calls == [1]
    np.testing.assert_array_equal(found[0].landmarks, found[1].landmarks)


def test_a_cache_that_cannot_be_written_is_the_users_to_mend(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UserError, match=r"cannot write the landmarks to .*file/known-faces-1"):
        detect_landmarks(RECORDS[:1], read_frame, KnownFaces(RECORDS), blocked)
