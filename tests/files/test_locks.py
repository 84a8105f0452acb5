from __future__ import annotations

import errno
import fcntl
import threading
from pathlib import Path

import pytest

from platform.files.locks import exclusive, try_lock


def test_one_holds_the_lock_at_a_time_and_its_file_goes(tmp_path: Path) -> None:
    path, inside, most = tmp_path / "lock", 0, 0
    start = threading.Barrier(4)

    def hold() -> None:
        nonlocal inside, most
        start.wait()
        for _ in range(20):
            with exclusive(path):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert not path.exists()


def test_a_file_system_without_locks_is_told_apart_from_a_held_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(file: object, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    with (tmp_path / "a").open("wb") as first, (tmp_path / "a").open("wb") as second:
        assert (try_lock(first), try_lock(second)) == ("acquired", "held")
        monkeypatch.setattr(fcntl, "flock", unsupported)
        assert try_lock(second) == "unsupported"
