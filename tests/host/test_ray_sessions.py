from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from platform.host.ray_sessions import MARK, ended_sessions, mark_session

NAME = "session_2026-11-28_12-00-00_123456_{process}"


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    (tmp_path / "proc/10").mkdir(parents=True)
    (tmp_path / "proc/10/cmdline").write_bytes(b"raylet\0--session=" + NAME.format(process=7).encode())
    (tmp_path / "tmp").mkdir()
    return tmp_path


@pytest.fixture
def make(temporary: Path) -> Callable[..., Path]:
    def session(process: int, folder: str = "ray", *, marked: bool = True) -> Path:
        path = temporary / "tmp" / folder / NAME.format(process=process)
        path.mkdir(parents=True)
        if marked:
            mark_session(path)
        return path

    return session


def ended(temporary: Path, environment: dict[str, str] | None = None) -> list[Path]:
    return list(ended_sessions(environment or {}, temporary / "proc", temporary / "tmp"))


def test_only_marked_sessions_that_no_process_names_have_ended(
    temporary: Path, make: Callable[..., Path]
) -> None:
    over, short = make(8), make(9, "ray-abcdef")
    make(7)  # its raylet runs
    make(10)  # the process that started it runs
    make(11, marked=False)  # of another program
    (temporary / "tmp/ray/session_latest").symlink_to(over)
    (temporary / "tmp/ray/elsewhere").mkdir()
    assert ended(temporary) == [over, short]


def test_sessions_are_looked_for_where_ray_is_told_to_put_them(
    temporary: Path, make: Callable[..., Path]
) -> None:
    over = make(8, "mine/ray")
    assert ended(temporary) == []
    assert ended(temporary, {"RAY_TMPDIR": str(temporary / "tmp/mine")}) == [over]


def test_where_processes_cannot_be_listed_nothing_has_ended(
    temporary: Path, make: Callable[..., Path]
) -> None:
    make(8)
    assert list(ended_sessions({}, temporary / "nothing", temporary / "tmp")) == []


def test_marking_a_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    mark_session(tmp_path / "nothing")
    mark_session(tmp_path)
    assert (tmp_path / MARK).is_file()
