"""Lists of frames: FMPN's own, a column of a CSV, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets.fold_lists.frame_lists import read_frame_list
from platform.errors import UserError


def test_a_plain_list_and_the_column_of_a_csv_name_the_same_frames(tmp_path: Path) -> None:
    plain, table = tmp_path / "test_ids_0.csv", tmp_path / "frames.csv"
    plain.write_text("S005_001_00000009.png\n\nS001_100_040.png\n")
    table.write_text("fold,image\n3,S005_001_00000009.png\n3,S001_100_040\n")
    expected = frozenset({("S005_001", 9), ("S001_100", 40)})
    assert read_frame_list(plain) == read_frame_list(table) == expected


def test_the_test_lists_of_a_release_are_taken_together(tmp_path: Path) -> None:
    (tmp_path / "test_ids_0.csv").write_text("S005_001_00000009.png\n")
    (tmp_path / "test_ids_1.csv").write_text("S006_001_00000009.png\n")
    (tmp_path / "train_ids_0.csv").write_text("S006_001_00000009.png\nS007_001_00000009.png\n")
    (tmp_path / "train_ids_1.csv").write_text("S005_001_00000009.png\n")
    assert read_frame_list(tmp_path) == {("S005_001", 9), ("S006_001", 9)}


def test_the_copied_release_has_981_frames() -> None:
    assert len(read_frame_list(Path(__file__).parents[2] / "data" / "ckplus_frames.csv")) == 981


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("image\n", "lists no frames"),
        ("S005\n", "but one is 'S005'"),
        ("S005_001_9.png\nS005_001_00000009.png\n", "lists S005_001_00000009 2 times"),
    ],
)
def test_a_list_that_cannot_be_right_is_named(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=fault):
        read_frame_list(path)


def test_a_folder_without_lists_and_a_frame_tested_twice_are_named(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match="holds no fold lists: expected train_ids_K"):
        read_frame_list(tmp_path)
    for fold in (0, 1):
        for side in ("train", "test"):
            (tmp_path / f"{side}_ids_{fold}.csv").write_text("S005_001_00000009.png\n")
    with pytest.raises(UserError, match=r"must be tested once, but .* tests S005_001_00000009 2 times"):
        read_frame_list(tmp_path)
