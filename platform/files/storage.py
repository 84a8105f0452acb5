"""The storage interface: everything that must survive a kill at any moment is written through it.

`LocalStorage` (local_storage.py) implements it for folders that all processes see, on a local disk or a
network file system. `tests/files/test_storage.py` runs one conformance suite over every implementation.

Three ways of writing, by what a reader may see:

- `replace`: the old content or the new, for files that change (tables, checkpoints, experiment.json);
- `write_once`: a folder with all its files or no folder, and the first writer's stays, for results;
- `overwrite`: in place, for the small record of a lease, whose reader accepts damage as absence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from platform.files.locks import LockState
from platform.files.opening import LARGEST_BYTES, REMEDY


class Storage(ABC):
    """Files and folders shared by all processes of an experiment, addressed by path.

    Writing raises OSError with the path as its `filename`; callers add the remedy.
    """

    @abstractmethod
    def read(self, path: Path, *, largest_bytes: int = LARGEST_BYTES, remedy: str = REMEDY) -> bytes:
        """The content of a file.

        Raises MissingFile where it does not exist, UserError where it cannot be read or is larger than
        `largest_bytes`; `remedy` ends these messages.
        """

    @abstractmethod
    def exists(self, path: Path) -> bool:
        """Whether `path` names a file or a folder."""

    def version(self, path: Path) -> Hashable | None:
        """A value that is another one after every change of the file; None if there is no file, or no such
        value. Cheaper than reading, for those who have read the file before."""
        return None

    @abstractmethod
    def names(self, folder: Path) -> list[str]:
        """Sorted names of the files and folders directly in `folder`; empty where it does not exist.

        Files that an interrupted `replace` left behind may be among them (`is_temporary`). OSError: it is
        no folder, or cannot be listed.
        """

    @abstractmethod
    def replace(self, path: Path, content: bytes) -> None:
        """Create or replace a file, and its folder where it is missing.

        Readers see the old content or the new, never part of it; after the return a power cut changes
        nothing. A failed write leaves the old file and no temporary one.
        """

    @abstractmethod
    def write_once(self, folder: Path, files: Mapping[str, bytes], is_final: Callable[[Path], bool]) -> bool:
        """Write a folder with these files in one step; False, and nothing changes, if a final one stands.

        files: content by name. is_final: whether the folder it is given holds a result that stays; one
        that does not (part of a result, a failed one) is replaced. Of several concurrent writers the first
        one's folder stays, whole: files of two writers never mix.
        """

    @abstractmethod
    def replace_folder(self, made: Path, folder: Path) -> None:
        """Give the folder `made` the name `folder`, and remove what had that name.

        Files that other processes have open stay readable. Callers hold a lock: one writer at a time.
        """

    @abstractmethod
    def move(self, source: Path, target: Path) -> None:
        """Rename a file or folder to an unused name in an existing folder.

        Of several processes that move the same source one succeeds; the others get FileNotFoundError.
        """

    @abstractmethod
    def remove(self, path: Path) -> None:
        """Remove a file, or a folder with its content; a missing one is no error."""

    @abstractmethod
    def check_writable(self, folder: Path) -> None:
        """OSError where no file can be created in `folder`, or in its nearest ancestor if it is missing.

        Leaves nothing behind.
        """

    @abstractmethod
    def overwrite(self, path: Path, content: bytes) -> None:
        """Overwrite the start of a file in place, creating it if needed; what lies behind stays.

        Readers on other machines see the change at once: after a rename, an NFS client may serve the old
        file for half a minute. A kill or a concurrent reader can meet a half-written content.
        """

    @abstractmethod
    def lock(self, path: Path, *, remedy: str = REMEDY) -> AbstractContextManager[LockState]:
        """Try to lock the file `path` for the block, creating it and its folder; yields the outcome.

        The lock ends with the process. OSError: the folder cannot be made. UserError, with `remedy`: the
        file cannot be opened.
        """
