"""The flags of `python -m platform.prepare` become arguments, and --landmarks detect a finder of faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.alignment.landmark_detection import DetectedFace
from datasets.alignment.similarity import five_points_from_68
from datasets.catalogue import describe
from datasets.prepared.preparation import prepare_dataset
from datasets.prepared.store import PreparedStore
from datasets.prepared.store_files import read_manifest
from datasets.raw.choices import Choices
from platform.cli import prepare_settings
from platform.cli.prepare_settings import layer_settings, preparation_settings
from platform.errors import UserError
from platform.prepare import main, make_parser
from tests.raw_trees import FACE, points_68, write_mmi


class CentredFace:
    """A detector that finds the drawn face's points in every image but those darker than `blind_below`."""

    name = "centred-face-1"

    def __init__(self, blind_below: float = 0.0) -> None:
        self.blind_below = blind_below
        self.images_seen = 0

    def detect(self, images: list[np.ndarray]) -> list[list[DetectedFace]]:
        self.images_seen += len(images)
        face = DetectedFace(points=points_68(FACE), score=0.9)
        return [[face] if image.mean() >= self.blind_below else [] for image in images]


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> CentredFace:
    """In the place of face-alignment."""
    injected = CentredFace()
    monkeypatch.setattr(prepare_settings, "FaceAlignmentDetector", lambda name, device: injected)
    return injected


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two clips of nine plain frames; frame n, from 0, is of gray 20 (n + 1)."""
    return write_mmi(tmp_path / "mmi", {"S053-100": 4, "S054-005": 1})


def settings(*flags: str | Path, dataset: str = "mmi") -> dict[str, Any]:
    arguments = make_parser().parse_args(["--dataset", dataset, *map(str, flags)])
    return preparation_settings(arguments, describe(dataset))


def detected(tmp_path: Path, tree: Path, *flags: str) -> PreparedStore:
    chosen = settings("--source", tree, "--data-root", tmp_path, "--landmarks", "detect", *flags)
    return prepare_dataset("mmi", 32, **chosen | {"workers": 1})


def test_flags_arrive_under_their_names(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("S005_001_00000009.png\n")
    flags = ("--frames", tmp_path / "list.txt", "--whole-sequences", "--skip-bad", "--aligned")
    found = settings(*flags, "--workers", "3", "--landmarks", "points.csv", dataset="ckplus")
    frames = frozenset({("S005_001", 9)})
    assert found["choices"] == Choices(frames=frames, whole_sequences=True)
    assert (found["skip_bad"], found["aligned"], found["workers"]) == (True, True, 3)
    assert (found["landmarks"], found["find_landmarks"]) == (Path("points.csv"), None)
    drawn = settings("--per-class", "5", "--draw-seed", "2", dataset="affectnet")
    assert drawn["choices"] == Choices(per_class=5, draw_seed=2)
    assert drawn["skip_bad"] is False


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--workers", "0"), ("--allow-missing", "-1"), ("--per-class", "0"), ("--draw-seed", "-1")],
)
def test_numbers_out_of_range_are_refused_by_their_flag(flag: str, value: str) -> None:
    with pytest.raises(UserError, match=f"{flag} must be at least .*, but got {value}; pass {flag}"):
        settings(flag, value, dataset="affectnet")


@pytest.mark.parametrize(("flag", "value"), [("--detector", "sdf"), ("--device", "gpu")])
def test_unknown_detectors_and_devices_are_refused(flag: str, value: str) -> None:
    with pytest.raises(UserError, match=f"unknown .* '{value}'"):
        settings("--landmarks", "detect", flag, value)


def test_detected_faces_are_stored_with_the_detectors_name_and_looked_for_once(
    tmp_path: Path, tree: Path, detector: CentredFace, capsys: pytest.CaptureFixture[str]
) -> None:
    store = detected(tmp_path, tree)
    assert len(store.images) == 8
    assert read_manifest(store.folder)["landmarks_from"] == detector.name
    assert "centred-face-1: a face in 8 of 8 frames" in capsys.readouterr().out
    seen = detector.images_seen
    assert detected(tmp_path, tree).hash == store.hash
    assert detector.images_seen == seen
    assert "8 cached" in capsys.readouterr().out
    np.testing.assert_allclose(five_points_from_68(points_68(FACE)), FACE)


def test_frames_without_a_face_stop_the_run_unless_they_are_allowed(
    tmp_path: Path, tree: Path, detector: CentredFace
) -> None:
    detector.blind_below = 50  # the neutral frames are of gray 20
    with pytest.raises(UserError, match=r"no usable face in 2 of 8 frames, .*pass --allow-missing 2"):
        detected(tmp_path, tree)
    assert not (tmp_path / "prepared").exists()
    store = detected(tmp_path, tree, "--allow-missing", "2")
    assert set(store.roles.tolist()) == {"expressive"}
    left_out = [item for item, _ in read_manifest(store.folder)["left_out"]]
    assert left_out == ["S053_100_00000000", "S054_005_00000000"]


def test_the_flags_of_layers_arrive_under_their_names(detector: CentredFace, tmp_path: Path) -> None:
    flags = ["--dataset", "mmi", "--data-root", str(tmp_path), "--skip-bad", "--landmarks", "detect"]
    for further, names, finds in (
        ([], [], False),
        (["--sequences", "--neutral-class"], ["sequences", "neutral"], False),
        (["--dense-landmarks"], ["landmarks"], False),
        (["--dense-landmarks", "own"], ["landmarks"], False),
        (["--dense-landmarks", "detect"], ["landmarks"], True),
    ):
        arguments = make_parser().parse_args([*flags, *further])
        found, sources = layer_settings(arguments, preparation_settings(arguments, describe("mmi")))
        assert found == names
        assert (sources.find_dense is not None) == finds
        assert (sources.data_root, sources.skip_bad, sources.landmarks) == (tmp_path, True, None)
        assert sources.find_landmarks is not None
        assert sources.find_landmarks.name == detector.name


def test_layers_are_aligned_by_the_same_detection_and_each_face_is_looked_for_once(
    tmp_path: Path, tree: Path, detector: CentredFace, capsys: pytest.CaptureFixture[str]
) -> None:
    detector.blind_below = 30  # the first frames are of gray 20
    flags = ["--dataset", "mmi", "--source", str(tree), "--data-root", str(tmp_path), "--size", "32"]
    flags += ["--landmarks", "detect", "--allow-missing", "2", "--workers", "1"]
    assert main([*flags, "--sequences", "--dense-landmarks", "detect"]) is None
    assert detector.images_seen == 9  # the frames of both clips are the same
    printed = capsys.readouterr().out
    assert "centred-face-1: a face in 16 of 18 frames" in printed
    assert "aligned: 16 by their own landmarks, 2 by the nearest frame's landmarks" in printed
    assert "68 points in 16 faces, none in 2 further frames, from centred-face-1" in printed


def test_allow_missing_without_landmarks_is_refused() -> None:
    with pytest.raises(UserError, match=r"--allow-missing .* so it needs --landmarks"):
        settings("--allow-missing", "1")


@pytest.mark.parametrize(("given", "resample"), [([], None), (["--resample", "released"], "released")])
def test_the_way_of_scaling_is_passed_on(given: list[str], resample: str | None) -> None:
    """What it changes in a store: tests/datasets/prepared/test_released_resample.py."""
    arguments = make_parser().parse_args(["--dataset", "fmpn_release", "--aligned", *given])
    assert preparation_settings(arguments, describe("fmpn_release"))["resample"] == resample
