"""A storage in memory: proof that the interface asks for nothing but what an object store could do."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from platform.errors import UserError
from platform.files.locks import LockState
from platform.files.opening import LARGEST_BYTES, REMEDY, MissingFile
from platform.files.storage import Storage


class MemoryStorage(Storage):
    """Content by path; a folder exists while something is in it."""

    def __init__(self) -> None:
        self._files: dict[Path, bytes] = {}
        self._one_at_a_time = threading.RLock()
        self._held: set[Path] = set()

    def read(self, path: Path, *, largest_bytes: int = LARGEST_BYTES, remedy: str = REMEDY) -> bytes:
        content = self._files.get(path)
        if content is None:
            raise MissingFile(f"cannot read {path}: no such file; {remedy}")
        if len(content) > largest_bytes:
            raise UserError(f"{path} has {len(content):,} bytes, but at most {largest_bytes:,} are read.")
        return content

    def exists(self, path: Path) -> bool:
        return path in self._files or bool(self._below(path))

    def names(self, folder: Path) -> list[str]:
        if folder in self._files:
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(folder))
        return sorted({path.relative_to(folder).parts[0] for path in self._below(folder)})

    def replace(self, path: Path, content: bytes) -> None:
        with self._one_at_a_time:
            if any(parent in self._files for parent in path.parents):
                raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(path))
            self._files[path] = content

    def write_once(self, folder: Path, files: Mapping[str, bytes], is_final: Callable[[Path], bool]) -> bool:
        with self._one_at_a_time:
            if is_final(folder):
                return False
            if any(parent in self._files for parent in folder.parents):
                raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(folder))
            self.remove(folder)
            self._files.update({folder / name: content for name, content in files.items()})
            return True

    def replace_folder(self, made: Path, folder: Path) -> None:
        with self._one_at_a_time:
            self.remove(folder)
            self.move(made, folder)

    def move(self, source: Path, target: Path) -> None:
        with self._one_at_a_time:
            if not self.exists(source):
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(source))
            for path in [source] if source in self._files else self._below(source):
                self._files[target / path.relative_to(source)] = self._files.pop(path)

    def remove(self, path: Path) -> None:
        with self._one_at_a_time:
            for one in [path, *self._below(path)]:
                self._files.pop(one, None)

    def check_writable(self, folder: Path) -> None:
        for path in (folder, *folder.parents):
            if path in self._files:
                raise NotADirectoryError(errno.ENOTDIR, "Not a directory", str(path))

    def overwrite(self, path: Path, content: bytes) -> None:
        with self._one_at_a_time:
            self._files[path] = content + self._files.get(path, b"")[len(content) :]

    @contextmanager
    def lock(self, path: Path, *, remedy: str = REMEDY) -> Iterator[LockState]:
        with self._one_at_a_time:
            free = path not in self._held
            self._held.add(path)
        try:
            yield "acquired" if free else "held"
        finally:
            if free:
                self._held.discard(path)

    def _below(self, folder: Path) -> list[Path]:
        return [path for path in list(self._files) if folder in path.parents]
