from __future__ import annotations

import os
from pathlib import Path

from platform.inventory.disk_usage import bytes_of, newest_change


def test_the_bytes_of_a_folder_are_those_of_its_files_and_links_count_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/one").write_bytes(b"12345")
    (tmp_path / "a/b/two").write_bytes(b"123")
    (tmp_path / "a/link").symlink_to(tmp_path / "a/one")
    (tmp_path / "a/circle").symlink_to(tmp_path / "a")
    assert bytes_of(tmp_path / "a") == 8
    assert bytes_of(tmp_path / "a/one") == 5
    assert bytes_of(tmp_path / "a/link") == 0
    assert bytes_of(tmp_path / "nothing") == 0


def test_the_newest_change_is_that_of_anything_below(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/two").write_bytes(b"123")
    for path in (tmp_path / "a", tmp_path / "a/b"):
        os.utime(path, (1000, 1000))
    os.utime(tmp_path / "a/b/two", (2000, 2000))
    assert newest_change(tmp_path / "a") == 2000
    assert newest_change(tmp_path / "nothing") == 0
