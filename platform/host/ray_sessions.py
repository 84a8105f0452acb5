"""Ray's session folders in the temporary folder: which ones this program made, and which are in use.

A killed driver leaves its session behind, tens of megabytes each. Other programs of the same user run Ray
too, so a session counts as ours only by the mark that we put into it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from platform.host.ray_paths import SHORT_FOLDERS, SHORT_PREFIX

MARK = "started_by_fer_platform"
"""Name of the empty file in every session that this program starts."""
SESSION = re.compile(r"session_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_\d+_(\d+)")
"""The group is the process that started it."""
PROCESSES = Path("/proc")


def mark_session(session: Path) -> None:
    """Mark the session folder as ours; where that fails it is only never cleaned up."""
    try:
        (session / MARK).touch()
    except OSError:
        return


def ended_sessions(
    environment: Mapping[str, str] = os.environ, processes: Path = PROCESSES, short: Path | None = None
) -> Iterator[Path]:
    """Our sessions that no process uses any more, in all folders where Ray may have put them.

    short: where Ray's short folders are made; None: SHORT_FOLDERS. Empty where the running processes cannot
    be listed, as on a Mac.
    """
    in_use = _command_lines(processes)
    if not in_use:
        return
    for folder in _ray_folders(environment, short or SHORT_FOLDERS):
        for path in _folders_in(folder):
            found = SESSION.fullmatch(path.name)
            if (
                found
                and path.lstat().st_uid == os.getuid()
                and (path / MARK).is_file()
                and not (processes / found[1]).exists()
                and path.name.encode() not in in_use
            ):
                yield path


def _ray_folders(environment: Mapping[str, str], short: Path) -> list[Path]:
    """Ray's own folders, and the ones that platform/host/ray_paths.py makes."""
    places = [environment.get("RAY_TMPDIR"), environment.get("TMPDIR"), str(short)]
    known = [Path(place) for place in places if place]
    folders = [path for place in known for path in (place / "ray", *place.glob(f"{SHORT_PREFIX}*"))]
    return list(dict.fromkeys(folders))


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _command_lines(processes: Path) -> bytes:
    """The arguments of all processes; Ray's name the session that they belong to."""
    lines = []
    for path in processes.glob("[0-9]*/cmdline"):
        try:
            with open(path, "rb", buffering=0) as file:
                lines.append(file.read(2**20) or b"")
        except OSError:
            continue
    return b"\n".join(lines)
