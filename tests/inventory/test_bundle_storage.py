from __future__ import annotations

from pathlib import Path

import pytest

from platform.errors import UserError
from platform.files.opening import MissingFile
from platform.inventory.bundle_storage import BundleStorage

ROOT = Path("/x.zip")
STORAGE = BundleStorage(ROOT, {"a/b/one": b"12", "a/two": b"3"})


def test_files_are_read_by_their_path() -> None:
    assert STORAGE.read(ROOT / "a/b/one") == b"12"
    assert STORAGE.names(ROOT / "a") == ["b", "two"]
    assert STORAGE.exists(ROOT / "a/b")
    assert not STORAGE.exists(ROOT / "a/b/on")
    assert STORAGE.names(ROOT / "c") == []
    with pytest.raises(MissingFile, match="not in the bundle"):
        STORAGE.read(ROOT / "a/b/on")
    with pytest.raises(UserError, match="at most 1"):
        STORAGE.read(ROOT / "a/b/one", largest_bytes=1)


def test_nothing_is_written() -> None:
    path = ROOT / "a/two"
    for write in (
        lambda: STORAGE.replace(path, b""),
        lambda: STORAGE.write_once(path, {}, lambda folder: False),
        lambda: STORAGE.replace_folder(path, path),
        lambda: STORAGE.move(path, path),
        lambda: STORAGE.remove(path),
        lambda: STORAGE.check_writable(path),
        lambda: STORAGE.overwrite(path, b""),
    ):
        with pytest.raises(OSError, match="Read-only"):
            write()
    with STORAGE.lock(path) as state:
        assert state == "unsupported"
    assert STORAGE.read(path) == b"3"
