"""Folders that commands write to, and the space on their disks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from platform.diagnosis.finding import Finding
from platform.diagnosis.ray_place import gibibytes
from platform.files.abilities import Unable
from platform.files.local_storage import LOCAL, LocalStorage

NEEDED_BYTES = 2**29
"""Free, at least: no run is planned below that (platform/experiments/capacity.py)."""
WANTED_BYTES = 5 * 2**30
FEW_FILES = 10_000
"""Of the names that a disk can still hold: a search stores some ten files a fold run."""


def writable(folders: Mapping[str, Path], storage: LocalStorage = LOCAL) -> Iterator[Finding]:
    """Whether files can be made and locked in each folder (name to path), or where it would be made."""
    for name, folder in folders.items():
        where = f"{folder}" if folder.is_dir() else f"{folder} (made when needed)"
        try:
            storage.check_writable(folder)
            locks = storage.has_locks(folder)
        except Unable as lack:
            value = f"{where}: its file system cannot {lack.what} ({lack.strerror})"
            yield Finding(
                "failed", name, value, "use a local disk, or NFS, EFS or FSx: no mounted object store"
            )
            continue
        except OSError as error:
            value = f"{error.filename or folder} cannot be written: {error.strerror or error}"
            yield Finding("failed", name, value, _other(name))
            continue
        if locks:
            yield Finding("ok", name, f"{where}, writable")
        else:
            value = f"{where}, writable, but its file system has no locks"
            yield Finding("warning", name, value, "run one command at a time there, or use another disk")


def _other(name: str) -> str:
    flags = {"runs": "--runs DIR", "data": "--data-root DIR"}
    flag = flags.get(name)
    return f"allow writing, or pass {flag} to commands" if flag else "allow writing, or set TMPDIR"


def disk_space(
    folders: Mapping[str, Path],
    free: Callable[[Path], tuple[int, int | None]] | None = None,
) -> Finding:
    """Free bytes of the disks of the folders, and names that they can still hold.

    free: both of an existing folder; None: no limit of names.
    """
    left = {name: (free or _free)(_existing(folder)) for name, folder in folders.items()}
    shown = ", ".join(f"{name} {gibibytes(count)}" for name, (count, _) in left.items())
    least, names = min(count for count, _ in left.values()), [n for _, n in left.values() if n is not None]
    if least < NEEDED_BYTES:
        return Finding("failed", "disk", f"free: {shown}", "free space; nothing is started below 0.5 GiB")
    if names and min(names) < FEW_FILES:
        value = f"free: {shown}, but only {min(names):,} more files (inodes)"
        return Finding("warning", "disk", value, "remove small files, or use another disk")
    if least < WANTED_BYTES:
        return Finding("warning", "disk", f"free: {shown}", "--dry-run says what a command needs")
    return Finding("ok", "disk", f"free: {shown}")


def _free(folder: Path) -> tuple[int, int | None]:
    state = os.statvfs(folder)
    return shutil.disk_usage(folder).free, state.f_favail if state.f_files else None


def _existing(folder: Path) -> Path:
    absolute = folder.absolute()
    return next(one for one in (absolute, *absolute.parents) if one.is_dir())
