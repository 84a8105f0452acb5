"""Written sets: CK+'s layout, readable by CK+'s adapter, whole or resumed, never overwritten."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets import ckplus
from datasets.alignment.similarity import five_points_from_68, residual
from datasets.synthetic import set_writer
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from datasets.synthetic.set_writer import CLAIM, MANIFEST, frame_count, write_set
from platform.errors import UserError

SMALL = SetParameters(subjects=5, frames=4, difficulty=0.5, seed=0, size_pixels=48)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished set."""
    root = tmp_path_factory.mktemp("sets") / "faces"
    assert write_set(root, SMALL) is True
    return root


def contents(root: Path) -> dict[str, bytes]:
    """Relative path -> bytes of every file."""
    return {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }


def test_files_are_named_and_filled_as_in_ckplus(written: Path) -> None:
    assert (written / "cohn-kanade-images/S005/001/S005_001_00000001.png").is_file()
    assert (written / "Emotion/S005/003/S005_003_00000004_emotion.txt").read_text() == "   3.0000000e+00\n"
    lines = (written / "Landmarks/S005/001/S005_001_00000001_landmarks.txt").read_text().splitlines()
    assert len(lines) == 68
    assert all(len(line.split()) == 2 and line.startswith("   ") for line in lines)
    assert not list((written / "Emotion/S005/008").iterdir())  # the unlabelled sequence
    assert not list(written.rglob("*.partial"))
    assert not (written / CLAIM).exists()


def test_pictures_and_landmarks_on_disk_are_the_drawn_ones(written: Path) -> None:
    picture, landmarks = draw_frame(SMALL, 1, 4, 3)
    stem = "S002/005/S002_005_00000004"
    assert np.array_equal(cv2.imread(str(written / f"cohn-kanade-images/{stem}.png"))[:, :, ::-1], picture)
    stored = np.loadtxt(written / f"Landmarks/{stem}_landmarks.txt")
    assert np.allclose(stored, landmarks, atol=1e-5)


def test_the_ckplus_adapter_reads_the_set(written: Path) -> None:
    records = ckplus.read_records(written)
    counts = Counter(record.expression for record in records if record.role == "expressive")
    assert counts == dict.fromkeys(EXPRESSIONS, 3 * SMALL.subjects)
    assert Counter(record.subject_id for record in records if record.role == "neutral") == {
        f"S{subject:03d}": 1 for subject in range(1, 6)
    }
    for record in records:
        assert record.landmarks is not None
        assert residual(record.landmarks) < 0.08
    assert ckplus.read_frame(written, records[0]).shape == (48, 48, 3)


def test_five_points_come_from_the_exact_landmarks(written: Path) -> None:
    record = next(
        record for record in ckplus.read_records(written) if record.image_name == "S003_001_00000004"
    )
    assert record.landmarks is not None
    assert np.allclose(record.landmarks, five_points_from_68(draw_frame(SMALL, 2, 0, 3)[1]), atol=1e-5)


def test_a_finished_set_is_left_alone(written: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in written.rglob("*")}
    assert write_set(written, SMALL) is False
    assert {path: path.stat().st_mtime_ns for path in written.rglob("*")} == before


def test_an_interrupted_set_goes_on_and_ends_the_same(written: Path, tmp_path: Path) -> None:
    root = tmp_path / "faces"

    class Interrupted(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        write_set(root, SMALL, progress=stop)
    assert not (root / MANIFEST).exists()
    early = root / "cohn-kanade-images/S001/001/S001_001_00000001.png"
    drawn_at = early.stat().st_mtime_ns
    write_set(root, SMALL)
    assert early.stat().st_mtime_ns == drawn_at  # what was whole is not drawn again
    assert contents(root) == contents(written)


def test_an_interrupted_set_of_other_parameters_is_drawn_anew(tmp_path: Path) -> None:
    root = tmp_path / "faces"
    other = SetParameters(subjects=2, frames=5, difficulty=0.5, seed=9, size_pixels=48)
    set_writer._claim(root, other, "ckplus")
    set_writer._write_sequence(root, other, "ckplus", 0, 0)
    only = SetParameters(subjects=1, frames=4, difficulty=0.5, seed=0, size_pixels=48)
    write_set(root, only)
    assert len(list((root / "cohn-kanade-images").rglob("*.png"))) == frame_count(only)


def test_two_workers_write_the_same_files(written: Path, tmp_path: Path) -> None:
    root = tmp_path / "faces"
    calls: list[tuple[int, int]] = []
    write_set(root, SMALL, workers=2, progress=lambda done, total: calls.append((done, total)))
    assert contents(root) == contents(written)
    assert calls[-1] == (frame_count(SMALL), frame_count(SMALL))
    assert calls == sorted(calls)


def test_other_parameters_name_the_difference_and_the_remedy(written: Path) -> None:
    before = contents(written)
    with pytest.raises(UserError, match=r"difficulty=0\.5, but difficulty=0\.9 was requested; .*rm -r"):
        write_set(written, dataclasses.replace(SMALL, difficulty=0.9))
    assert contents(written) == before


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(UserError, match="not a synthetic set"):
        write_set(tmp_path, SMALL)
    assert contents(tmp_path) == {"thesis.txt": b"precious"}


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(UserError, match=r"synthetic\.json is damaged"):
        write_set(tmp_path, SMALL)
