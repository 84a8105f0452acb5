"""A file too large for memory: written part by part, and replaced at the end like any other."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from platform.files.local_storage import SUFFIX
from platform.files.synced import sync, sync_folder
from platform.files.writing import cannot_write


@contextmanager
def large_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write into, which becomes `path` at the end of the block; its folder is made.

    Readers see the old content or the new; an error or a kill in the block leaves `path` as it was. Raises
    UserError where it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}{SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            sync(file)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(OSError(error.errno, error.strerror, str(path))) from error
    finally:
        with suppress(OSError):
            os.unlink(temporary)
