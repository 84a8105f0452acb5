"""Whole files for users: written atomically, with an error that tells what to do."""

from __future__ import annotations

from pathlib import Path

from platform.errors import UserError
from platform.files.local_storage import READABLE


def write_atomically(path: Path, content: bytes | str) -> None:
    """Create or replace the file `path` (text in UTF-8), and its folder where it is missing.

    Readers see the old content or the new. Raises UserError where it cannot be written.
    """
    try:
        READABLE.replace(path, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise cannot_write(error) from error


def cannot_write(error: OSError) -> UserError:
    """The error of a Storage with the remedy."""
    return UserError(f"cannot write {error.filename}: {error.strerror}; free space or choose another folder.")
