"""Storage in folders of this machine or of a network file system that all nodes mount."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from platform.errors import UserError
from platform.files.abilities import check_abilities
from platform.files.dry_run import is_dry_run
from platform.files.locks import LockState, exclusive, try_lock
from platform.files.opening import LARGEST_BYTES, REMEDY, open_lock, read_bytes
from platform.files.storage import Storage
from platform.files.synced import sync_folder, write_synced

SUFFIX = ".partial"


class LocalStorage(Storage):
    """A file system with atomic renames, on which a rename onto a folder with content fails (POSIX)."""

    def __init__(self, *, file_mode: int | None = None, may_write: Callable[[], None] = lambda: None) -> None:
        """file_mode: permissions of the files it creates; None leaves them to the umask.
        may_write: called before a file or folder is made, and again just before it gets its name; what it
        raises ends the writing, and leaves everything as it was."""
        self._file_mode = file_mode
        self.may_write = may_write

    def read(self, path: Path, *, largest_bytes: int = LARGEST_BYTES, remedy: str = REMEDY) -> bytes:
        return read_bytes(path, largest_bytes=largest_bytes, remedy=remedy)

    def exists(self, path: Path) -> bool:
        return os.path.lexists(path)  # a broken link exists: whoever reads it reports it

    def version(self, path: Path) -> tuple[int, ...] | None:
        """No program can set the time of a change (ctime), and a rename brings another inode."""
        try:
            state = os.stat(path)
        except OSError:
            return None
        return state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns

    def names(self, folder: Path) -> list[str]:
        try:
            return sorted(os.listdir(folder))
        except FileNotFoundError:
            return []

    def replace(self, path: Path, content: bytes, *, make_folder: bool = True) -> None:
        """make_folder: False raises FileNotFoundError where the folder is missing."""
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}{SUFFIX}")
        self.may_write()
        with _naming(path):
            if make_folder:
                path.parent.mkdir(parents=True, exist_ok=True)
            try:
                write_synced(temporary, content, mode=self._file_mode)
                self.may_write()
                os.replace(temporary, path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary)
                raise
            sync_folder(path.parent)

    def write_once(self, folder: Path, files: Mapping[str, bytes], is_final: Callable[[Path], bool]) -> bool:
        parts = folder.with_name(f"{folder.name}.parts")
        self.may_write()
        with _naming(folder):
            placed = not is_final(folder) and self._placed(folder, files, parts, is_final)
        if not placed or is_final(folder):
            # No writer can replace it now, so what killed writers left aside is of no use.
            shutil.rmtree(parts, ignore_errors=True)
        return placed

    def _placed(
        self, folder: Path, files: Mapping[str, bytes], parts: Path, is_final: Callable[[Path], bool]
    ) -> bool:
        """Write the files into a folder of this writer's own in `parts`, and rename that."""
        aside = parts / uuid.uuid4().hex
        try:
            with suppress(OSError):  # the first file that is written into it reports the reason
                aside.mkdir(parents=True)
            for name, content in files.items():
                write_synced(aside / name, content, mode=self._file_mode)
            sync_folder(aside)
            self.may_write()
            placed = _put_in_place(aside, folder, parts, is_final)
            if placed:
                sync_folder(folder.parent)
            return placed
        except OSError:
            # Another writer finished first, and removed what lay aside.
            if is_final(folder):
                return False
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            with suppress(OSError):  # other writers' files are still in it
                parts.rmdir()

    def replace_folder(self, made: Path, folder: Path) -> None:
        old = folder.with_name(f".{folder.name}.old")
        with _naming(folder):
            sync_folder(made)
            shutil.rmtree(old, ignore_errors=True)
            if folder.exists():
                os.rename(folder, old)
            os.rename(made, folder)
            sync_folder(folder.parent)
            shutil.rmtree(old, ignore_errors=True)

    def move(self, source: Path, target: Path) -> None:
        os.rename(source, target)

    def remove(self, path: Path) -> None:
        """What cannot be removed of a folder stays."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def check_writable(self, folder: Path) -> None:
        """Also Unable: files can be created, but the file system lacks something (`check_abilities`).

        In a dry run only the permissions are looked at.
        """
        existing = next(one for one in (folder, *folder.parents) if one.exists())
        with _naming(existing):
            if not existing.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            if is_dry_run() and not os.access(existing, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if not is_dry_run():
            check_abilities(existing)

    def has_locks(self, folder: Path) -> bool:
        """Whether files in `folder`, or where it would be made, can be locked. OSError: none can be made."""
        existing = next(one for one in (folder, *folder.parents) if one.exists())
        with _naming(existing), tempfile.TemporaryFile(dir=existing) as file:
            return try_lock(file) == "acquired"

    def overwrite(self, path: Path, content: bytes) -> None:
        with _naming(path):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                os.pwrite(handle, content, 0)
                os.fsync(handle)
            finally:
                os.close(handle)

    @contextmanager
    def lock(self, path: Path, *, remedy: str = REMEDY) -> Iterator[LockState]:
        with _naming(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        with open_lock(path, remedy=remedy) as file:
            yield try_lock(file)


LOCAL = LocalStorage()
"""Files with the permissions that the user's umask gives: checkpoints, data sets."""
READABLE = LocalStorage(file_mode=0o644)
"""Files that others may read: results, tables, caches."""


def temporary_folder() -> Path:
    """Where this user's temporary files go (TMPDIR, /tmp, ...)."""
    return Path(tempfile.gettempdir())


def is_temporary(name: str, of: str) -> bool:
    """Whether a killed `LocalStorage.replace` of the file `of` may have left `name` beside it."""
    return name.startswith(f".{of}.") and name.endswith(SUFFIX)


def _put_in_place(aside: Path, folder: Path, parts: Path, is_final: Callable[[Path], bool]) -> bool:
    """Rename `aside` to `folder`; False, and nothing changes, where a final result has that name.

    One writer at a time replaces what is not final: without the lock, a writer could move aside a final
    result that came between its look and its rename, and a second final result could take the place.
    """
    try:
        os.rename(aside, folder)
        return True
    except OSError as error:
        if is_final(folder):
            return False
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    with _alone(parts / "lock"):
        return _replace_unfinished(aside, folder, parts, is_final)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold `lock`; the block runs without it on a file system that has no locks."""
    with ExitStack() as stack:
        # UserError: the folder of the lock went, because a final result has come.
        with suppress(OSError, UserError):
            stack.enter_context(exclusive(lock))
        yield


def _replace_unfinished(aside: Path, folder: Path, parts: Path, is_final: Callable[[Path], bool]) -> bool:
    while True:
        try:
            os.rename(aside, folder)
            return True
        except OSError as error:
            if is_final(folder):
                return False
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        replaced = parts / uuid.uuid4().hex
        try:
            os.rename(folder, replaced)
        except FileNotFoundError:
            continue  # another writer is replacing it too
        if is_final(replaced):
            # It was finished between the look and the rename: put it back, unless an equal one has come.
            with suppress(OSError):
                os.rename(replaced, folder)
            return False
        shutil.rmtree(replaced, ignore_errors=True)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """An OSError of the block names `path`, not a temporary file."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror or os.strerror(error.errno), str(path)) from error
