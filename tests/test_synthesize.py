"""The command that draws a set: what it prints, and that bad values leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from platform.errors import UserError
from platform.synthesize import main

SMALL = ["--subjects", "1", "--frames", "4", "--size", "48", "--workers", "1"]


def test_it_writes_a_set_with_a_preview_and_says_what_is_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "faces"
    assert main([*SMALL, "--out", str(out)]) is None
    printed = capsys.readouterr().out
    assert "drawn faces: 28 of 28" in printed
    assert f"fer prepare --dataset ckplus --source {out}" in printed
    assert cv2.imread(str(out / "preview.png")).shape[1] == 8 * 128
    assert (out / "synthetic.json").is_file()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--subjects", "0"], "subjects"),
        (["--frames", "2"], "frames"),
        (["--difficulty", "2"], "difficulty"),
        (["--layout", "mni"], "unknown layout"),
        (["--workers", "0"], "workers"),
        (["--size", "9"], "size"),
    ],
)
def test_bad_values_are_named_and_nothing_is_written(tmp_path: Path, flags: list[str], words: str) -> None:
    out = tmp_path / "faces"
    with pytest.raises(UserError, match=words):
        main([*SMALL, *flags, "--out", str(out)])
    assert not out.exists()


def test_the_folder_of_an_existing_set_is_not_drawn_over(tmp_path: Path) -> None:
    out = tmp_path / "faces"
    main([*SMALL, "--out", str(out)])
    with pytest.raises(UserError, match="seed=0, but seed=1 was requested"):
        main([*SMALL, "--seed", "1", "--out", str(out)])


def test_a_folder_that_cannot_be_written_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, **options: object) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(UserError, match=r"cannot write the set .*faces: Read-only file system"):
        main([*SMALL, "--out", str(tmp_path / "faces")])


def test_a_layout_that_needs_more_people_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs 2 subjects or more"):
        main([*SMALL, "--layout", "fmpn_release", "--out", str(tmp_path / "faces")])
    assert not (tmp_path / "faces").exists()
