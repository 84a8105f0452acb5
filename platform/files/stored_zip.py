"""Zip files of known names without compression: equal contents give equal bytes, and reading is bounded.

Without compression an archive cannot hold more than its own size, so no small file unpacks into a huge one;
nothing is unpacked to the disk, so no name leads anywhere.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from platform.errors import UserError
from platform.files.opening import read_bytes

LARGEST_BYTES = 4 * 2**30
MOST_FILES = 200_000
START = (1980, 1, 1, 0, 0, 0)
"""The time of every entry: the earliest that a zip file can hold."""
ENCRYPTED = 0x1
NAMES_SHOWN = 3


def stored_zip(files: Mapping[str, bytes]) -> bytes:
    """An archive of these files, by name with `/`, in the order of their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, START)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same bytes on every system
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def read_stored_zip(
    path: Path, allowed: re.Pattern[str], *, largest_bytes: int = LARGEST_BYTES, most_files: int = MOST_FILES
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files of an archive that `stored_zip` made, and the names of those whose content is damaged.

    allowed: matches every name as a whole. UserError: no such archive; too large; a name that is not allowed
    or stands twice; an entry that is compressed, encrypted, or shares its bytes with others.
    """
    content = read_bytes(path, largest_bytes=largest_bytes, remedy="pass the file itself.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check(path, entries, allowed, len(content), most_files)
            files, damaged = {}, []
            for entry in entries:
                try:
                    files[entry.filename] = archive.read(entry)
                except (zipfile.BadZipFile, EOFError):
                    damaged.append(entry.filename)
            return files, tuple(damaged)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OSError, EOFError) as error:
        raise UserError(f"{path} is not a readable zip file ({error}); get it again.") from error


def _check(
    path: Path, entries: list[zipfile.ZipInfo], allowed: re.Pattern[str], size: int, most_files: int
) -> None:
    if len(entries) > most_files:
        raise UserError(f"{path} has {len(entries):,} files, but at most {most_files:,} are read.")
    strange = [entry.filename for entry in entries if not allowed.fullmatch(entry.filename)]
    if strange:
        raise UserError(f"{path} holds files that do not belong into it: {_some(strange)}.")
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names):
        raise UserError(f"{path} holds a name twice: {_some([n for n in names if names.count(n) > 1])}.")
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & ENCRYPTED:
            raise UserError(f"{path} holds {entry.filename} compressed or encrypted; get the file as made.")
    if sum(entry.file_size for entry in entries) > size or any(
        entry.file_size != entry.compress_size for entry in entries
    ):
        raise UserError(f"{path} states sizes that it cannot hold; get it again.")


def _some(names: list[str]) -> str:
    shown = ", ".join(ascii(name[:80]) for name in names[:NAMES_SHOWN])
    return shown + (f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else "")
