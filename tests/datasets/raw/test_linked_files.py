from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from datasets.prepared.preparation import prepare_dataset
from datasets.raw.choices import BadItems
from datasets.raw.linked_files import without_linked
from datasets.records import FrameRecord
from platform.errors import UserError
from tests.datasets.prepared.small_store import record
from tests.raw_trees import write_ckplus

RECORDS = [record("S001", 4), record("S002", 4), record("S002", 5), record("S003", 1)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for one in RECORDS:
        (tmp_path / one.source).parent.mkdir(exist_ok=True)
        (tmp_path / one.source).write_bytes(b"equal bytes are no link")
    return tmp_path


def relink(root: Path, link: Callable[[Path, Path], None], first: FrameRecord, second: FrameRecord) -> None:
    (root / second.source).unlink()
    link(root / first.source, root / second.source)


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_one_file_of_two_subjects_is_refused_or_left_out_of_both(
    root: Path, link: Callable[[Path, Path], None]
) -> None:
    relink(root, link, RECORDS[0], RECORDS[2])
    with pytest.raises(UserError, match=r"S001/4\.png \(subject S001\) and S002/5\.png \(subject S002\)"):
        without_linked(root, RECORDS, BadItems())
    bad = BadItems(skip=True, root=root)
    assert without_linked(root, RECORDS, bad) == [RECORDS[1], RECORDS[3]]
    assert [item for item, _ in bad.left_out] == ["S001/4.png"]


def test_links_within_a_subject_copies_and_missing_files_are_left_alone(root: Path) -> None:
    relink(root, os.link, RECORDS[1], RECORDS[2])
    (root / RECORDS[3].source).unlink()
    assert without_linked(root, RECORDS, BadItems()) == RECORDS


def test_prepare_refuses_it(tmp_path: Path) -> None:
    source = write_ckplus(tmp_path / "ck", {"S001_001": "anger", "S002_001": "surprise"})
    frames = [sorted((source / "cohn-kanade-images" / name / "001").iterdir()) for name in ("S001", "S002")]
    frames[1][-1].unlink()
    os.link(frames[0][-1], frames[1][-1])
    with pytest.raises(UserError, match="one file is linked under two subjects"):
        prepare_dataset("ckplus", 34, data_root=tmp_path / "data", source=source)
    assert not (tmp_path / "data" / "prepared").exists()
