"""The files of a bundle as a storage to read results from, in memory."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from platform.errors import UserError
from platform.files.locks import LockState
from platform.files.opening import LARGEST_BYTES, REMEDY, MissingFile
from platform.files.storage import Storage


class BundleStorage(Storage):
    """Content by name below `root`, the path of the bundle's file, which messages show. Read-only."""

    def __init__(self, root: Path, files: Mapping[str, bytes]) -> None:
        self._root = root
        self._files = files

    def read(self, path: Path, *, largest_bytes: int = LARGEST_BYTES, remedy: str = REMEDY) -> bytes:
        content = self._files.get(self._name(path))
        if content is None:
            raise MissingFile(f"{path} is not in the bundle; {remedy}")
        if len(content) > largest_bytes:
            raise UserError(f"{path} has {len(content):,} bytes, but at most {largest_bytes:,} are read.")
        return content

    def exists(self, path: Path) -> bool:
        name = self._name(path)
        return name in self._files or any(one.startswith(f"{name}/") for one in self._files)

    def names(self, folder: Path) -> list[str]:
        start = f"{self._name(folder)}/"
        return sorted({one[len(start) :].split("/")[0] for one in self._files if one.startswith(start)})

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def replace(self, path: Path, content: bytes) -> None:
        raise _read_only(path)

    def write_once(self, folder: Path, files: Mapping[str, bytes], is_final: Callable[[Path], bool]) -> bool:
        raise _read_only(folder)

    def replace_folder(self, made: Path, folder: Path) -> None:
        raise _read_only(folder)

    def move(self, source: Path, target: Path) -> None:
        raise _read_only(source)

    def remove(self, path: Path) -> None:
        raise _read_only(path)

    def check_writable(self, folder: Path) -> None:
        raise _read_only(folder)

    def overwrite(self, path: Path, content: bytes) -> None:
        raise _read_only(path)

    @contextmanager
    def lock(self, path: Path, *, remedy: str = REMEDY) -> Iterator[LockState]:
        yield "unsupported"


def _read_only(path: Path) -> OSError:
    return OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
