"""FMPN's layout: crops on the template, lists by the paper's rule, masks that show where faces move."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from datasets import fmpn_release
from datasets.folds.rules import paper_folds
from datasets.raw.fmpn_labels import read_codes
from datasets.synthetic.layouts import fmpn_release as layout
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from platform.errors import UserError

SMALL = SetParameters(subjects=5, frames=5, difficulty=0.2, seed=0, size_pixels=48)


def write(root: Path) -> list[list[str]]:
    rows = [row for place in layout.places(SMALL) for row in layout.write_sequence(root, SMALL, *place)]
    layout.finish(root, SMALL, rows)
    return rows


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fmpn")
    write(root)
    return root


def test_the_adapter_reads_it(written: Path) -> None:
    records = fmpn_release.read_records(written)
    counts = Counter(record.expression for record in records if record.role == "expressive")
    assert counts == dict.fromkeys(EXPRESSIONS, 3 * SMALL.subjects)
    neutral = [record.image_name for record in records if record.role == "neutral"]
    assert neutral == [f"S{subject:03d}_001_00000001" for subject in range(1, 6)]
    assert fmpn_release.read_frame(written, records[0]).shape == (48, 48, 3)
    images = len(list((written / "imgs").iterdir()))
    assert images == 4 * 36 == layout.frames_a_place(SMALL) * len(layout.places(SMALL))


def test_the_unlabelled_sequence_is_in_no_list(written: Path) -> None:
    assert read_codes(written / "emotion_labels.pkl")["S005_008"] == -1
    assert not any("S005_008" in path.read_text() for path in written.glob("*.csv"))
    assert (written / "imgs/S005_008_00000005.png").is_file()


def test_the_lists_are_the_papers_folds(written: Path) -> None:
    folds = fmpn_release.released_folds(written)
    plan = paper_folds([f"S{subject:03d}" for subject in range(1, 6)], 5)
    assert [{name[:4] for name in test} for _, test in folds] == [
        set(fold.test_subjects) for fold in plan.folds
    ]
    for train, test in folds:
        assert len(train) == 4 * 21
        assert not set(train) & set(test)
    assert not (written / "test_ids_0.csv").read_text().endswith("\n")


def test_masks_are_those_of_the_release_in_form(written: Path) -> None:
    for fold in range(5):
        masks = fmpn_release.read_released_masks(written, fold, EXPRESSIONS)
        for mask in masks.values():
            assert mask.shape == (48, 48)
            assert (mask.min(), mask.max()) == (0, 255)
            assert 95 < mask.mean() < 140
    assert (masks["surprise"] != masks["anger"]).any()
    # Surprise moves the mouth more than the cheeks beside the nose.
    assert masks["surprise"][34:40, 16:32].mean() > masks["surprise"][22:28, 4:12].mean()


def test_the_same_bytes_every_time(written: Path, tmp_path: Path) -> None:
    rows = [row for sequence in range(3) for row in layout.write_sequence(tmp_path, SMALL, 1, sequence)]
    assert len(rows) == 3
    for path in (tmp_path / "imgs").iterdir():
        assert path.read_bytes() == (written / "imgs" / path.name).read_bytes()
    every = [row for place in layout.places(SMALL) for row in _row(place)]
    before = {path: path.read_bytes() for path in written.rglob("*") if path.is_file()}
    layout.finish(written, SMALL, every)
    assert {path: path.read_bytes() for path in written.rglob("*") if path.is_file()} == before
    assert {path.relative_to(written).parts[0] for path in before} <= set(layout.CONTENTS)


def _row(place: tuple[int, int]) -> list[list[str]]:
    """The line of a place, as `write_sequence` gives it."""
    person, sequence = f"S{place[0] + 1:03d}", place[1]
    name = f"{person}_{sequence + 1:03d}"
    code = -1 if sequence == 7 else sequence + 1
    return [[person, name, str(code), *(f"{name}_{frame:08d}.png" for frame in (1, 3, 4, 5))]]


def test_one_subject_makes_no_folds() -> None:
    alone = SetParameters(subjects=1, frames=4, difficulty=0.2, seed=0, size_pixels=48)
    with pytest.raises(UserError, match="needs 2 subjects or more, but got 1"):
        layout.places(alone)  # asked for before anything is written
