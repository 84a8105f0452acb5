"""What lies in a folder: files counted, layouts recognised, codes and faults told (see test_adapters.py)."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from datasets.inspection import codes_and_notes, inspect_folder, layouts_of, read_leniently
from platform.cli.prepare_report import inspection_lines
from platform.errors import UserError
from platform.host.launcher import command_words
from tests.raw_trees import write_ckplus, write_mmi

CLIPS = {"S053-100": 4, "S054-005": 1, "S053-101": 8, "S054-006": None}


def test_files_are_counted_by_extension_with_examples(tmp_path: Path) -> None:
    for name in ("b/2.PNG", "b/1.png", "a/3.png", "a/4.png", "a/notes", ".hidden", "labels.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = inspect_folder(tmp_path)
    assert found.file_counts == {".png": 4, ".csv": 1, "": 1}
    assert found.examples[".png"] == ["a/3.png", "a/4.png", "b/1.png"]
    assert found.looks_like == []
    assert "looks like: none of the known layouts:" in inspection_lines(tmp_path, None)


def test_codes_are_counted_and_views_told(tmp_path: Path) -> None:
    codes, notes = codes_and_notes("mmi", write_mmi(tmp_path, CLIPS))
    assert codes == "1 (1), 4 (1), 8 (1), none (1)"
    assert notes == ["view: whole frame, by subject: 2 clips"]


def test_the_next_command_is_complete(tmp_path: Path) -> None:
    tree = write_mmi(tmp_path / "my clips", CLIPS)
    lines = inspection_lines(tree, None)
    assert "looks like: MMI (mmi)" in lines
    command = f"{shlex.join(command_words('prepare'))} --dataset mmi"
    assert lines[-1] == f"next:       {command} --source '{tree}' --landmarks detect"


def test_what_is_bad_is_listed_and_nothing_stops(tmp_path: Path) -> None:
    tree = write_ckplus(tmp_path, {"S005_001": "disgust", "S010_002": "surprise"})
    next((tree / "Emotion/S005/001").iterdir()).write_text("9.0")
    records, bad = read_leniently("ckplus", tree)
    assert {record.subject_id for record in records} == {"S010"}
    assert [item for item, _ in bad.left_out] == ["Emotion/S005/001"]
    text = "\n".join(inspection_lines(tree, None))
    assert "left out:   1 items" in text
    assert "9.0 (1)" in text


def test_a_folder_read_as_another_data_set_gets_no_command(tmp_path: Path) -> None:
    tree = write_mmi(tmp_path, CLIPS)
    assert layouts_of(tree) == ["mmi"]
    lines = inspection_lines(tree, "ckplus")
    assert lines[-2] == "read as:    ckplus"
    assert lines[-1].startswith("  reading failed: ")
    with pytest.raises(UserError, match="unknown data set 'nmi'; did you mean 'mmi'"):
        inspection_lines(tree, "nmi")
