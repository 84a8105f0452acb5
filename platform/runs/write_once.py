"""A folder that comes into being whole, and of several writers the first one's.

The files are written into a folder aside, which is then renamed: a rename onto a folder with content fails
on every file system that several machines share. Of two writers each file by itself could be whole, and the
manifest of one stand beside the file of the other.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_aside(folder: Path) -> Iterator[Path]:
    """An empty folder of this writer's own, beside `folder`; what is left of it at the end is removed."""
    aside = _parts(folder) / uuid.uuid4().hex
    try:
        with suppress(OSError):  # the first file that is written into it says why it cannot be made
            aside.mkdir(parents=True)
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        with suppress(OSError):  # another writer's is still in it
            _parts(folder).rmdir()


def put_in_place(aside: Path, folder: Path, is_kept: Callable[[Path], bool]) -> bool:
    """Make `aside` be `folder`; False, and nothing is changed, where `is_kept` says so of the one there.

    What is there and not kept (half a result, a failed one) is replaced.
    """
    while True:
        try:
            os.rename(aside, folder)
            return True
        except OSError as error:
            if is_kept(folder):
                return False
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        replaced = _parts(folder) / uuid.uuid4().hex
        try:
            os.rename(folder, replaced)
        except FileNotFoundError:
            continue  # another writer was about to replace it too
        if is_kept(replaced):
            # It came between the look and the rename. Back with it, unless an equal one has come meanwhile.
            with suppress(OSError):
                os.rename(replaced, folder)
            return False
        shutil.rmtree(replaced, ignore_errors=True)


def remove_parts(folder: Path) -> None:
    """Remove what killed writers have left aside, once `folder` stands: no other writer can replace it."""
    shutil.rmtree(_parts(folder), ignore_errors=True)


def _parts(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.parts")
