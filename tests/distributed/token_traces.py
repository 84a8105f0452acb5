"""Traces that a cluster's token could leave: command lines, files of a run, logs of Ray's."""

from __future__ import annotations

import re
from pathlib import Path

SESSION_FOLDER = re.compile(r"/\S+?/session_\d{4}-[\d_-]+")


def session_of(commands: set[str]) -> Path:
    """The one folder of a Ray session that these command lines name."""
    (session,) = {found[0] for found in map(SESSION_FOLDER.search, commands) if found}
    return Path(session)


def assert_nowhere(token: str, commands: set[str], folder: Path) -> None:
    """The cluster's token is in no command line that was seen, no file of the run and no log of Ray's."""
    assert not [command for command in commands if token in command]
    session = session_of(commands)
    assert list(session.glob("logs/*")), "Ray's logs are there"
    files = [path for place in (folder, session) for path in place.rglob("*") if path.is_file()]
    assert not [path for path in files if token.encode() in path.read_bytes()]
