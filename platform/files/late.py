"""Files that another host has written, which a network file system may show late.

An NFS client remembers for up to a minute what a folder held, and what it did not hold. Opening the folder
makes it ask its server.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

LATE_SECONDS = 10.0
"""How long a file that must be there is waited for."""
PAUSES_SECONDS = (0.0, 0.1, 0.4, 1.5, 3.0, 5.0)
"""Between looks; LATE_SECONDS in all."""

Found = TypeVar("Found")


def look_again(folder: Path) -> None:
    """Make a network file system's client ask its server about the folder; a missing one is no error."""
    with suppress(OSError):
        os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))


def found_late(
    look: Callable[[], Found | None],
    *folders: Path,
    sleep: Callable[[float], None] = time.sleep,
) -> Found | None:
    """What `look` finds, at once or within LATE_SECONDS; None if it finds nothing.

    folders: those on the way to it, outermost first, of which the client may remember too much.
    """
    found = look()
    for pause in () if found is not None else PAUSES_SECONDS:
        sleep(pause)
        for folder in folders:
            look_again(folder)
        found = look()
        if found is not None:
            break
    return found
