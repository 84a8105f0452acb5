"""A folder comes into being whole, and of several writers the first one's stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from platform.runs.write_once import put_in_place, remove_parts, written_aside


def is_complete(folder: Path) -> bool:
    return (folder / "manifest").exists()


def write(aside: Path, text: str, *, complete: bool = True) -> None:
    (aside / "content").write_text(text)
    if complete:
        (aside / "manifest").touch()


def fail_in_the_middle(folder: Path) -> None:
    with written_aside(folder) as aside:
        write(aside, "half", complete=False)
        raise KeyError


def test_nothing_is_seen_before_all_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "result"
    with written_aside(folder) as aside:
        write(aside, "first")
        assert not folder.exists()
        assert put_in_place(aside, folder, is_complete)
    assert (folder / "content").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


def test_a_complete_result_stays_and_half_of_one_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "result"
    for text, complete, is_placed in (("half", False, True), ("first", True, True), ("second", True, False)):
        with written_aside(folder) as aside:
            write(aside, text, complete=complete)
            assert put_in_place(aside, folder, is_complete) == is_placed
    assert (folder / "content").read_text() == "first"


def test_of_two_writers_at_once_the_first_in_place_stays(tmp_path: Path) -> None:
    folder = tmp_path / "result"
    with written_aside(folder) as one, written_aside(folder) as other:
        write(one, "one")
        write(other, "other")
        assert put_in_place(other, folder, is_complete)
        assert not put_in_place(one, folder, is_complete)
    assert (folder / "content").read_text() == "other"


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        fail_in_the_middle(tmp_path / "result")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_writer_left_goes_once_a_result_stands(tmp_path: Path) -> None:
    folder = tmp_path / "result"
    left = folder.with_name("result.parts") / "0123"
    left.mkdir(parents=True)
    remove_parts(folder)
    assert not left.parent.exists()
