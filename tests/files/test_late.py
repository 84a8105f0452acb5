from __future__ import annotations

from pathlib import Path

from platform.files.late import LATE_SECONDS, PAUSES_SECONDS, found_late, look_again


class Late:
    """What is there at the look of that number."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.waits: list[float] = []

    def look(self) -> str | None:
        self.left -= 1
        return "there" if self.left <= 0 else None


def test_what_is_there_is_found_without_waiting() -> None:
    late = Late(1)
    assert found_late(late.look, sleep=late.waits.append) == "there"
    assert late.waits == []


def test_what_comes_late_is_found_and_its_folders_are_asked_anew(tmp_path: Path) -> None:
    late = Late(3)
    assert found_late(late.look, tmp_path, tmp_path / "missing", sleep=late.waits.append) == "there"
    assert late.waits == list(PAUSES_SECONDS[:2])


def test_what_never_comes_is_waited_for_as_long_as_stated() -> None:
    late = Late(1000)
    assert found_late(late.look, sleep=late.waits.append) is None
    assert sum(late.waits) == LATE_SECONDS


def test_looking_again_at_a_missing_folder_is_no_error(tmp_path: Path) -> None:
    look_again(tmp_path / "missing")
    look_again(tmp_path)
