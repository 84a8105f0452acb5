"""Checkpoint folders, one per attempt at a run: `<runs>/checkpoints/<identity>/<owner>`.

Two experiments can carry out the same run at once, each in its own folder. A new attempt takes over the
newest checkpoints of earlier ones. This does not disturb a former owner that is still alive: checkpoints are
read at the start only, and its next one goes into a new folder.
"""

from __future__ import annotations

import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from platform.files.local_storage import LOCAL


def own_scratch(root: Path, identity: str) -> Path:
    """The folder for this attempt, holding the newest checkpoints of earlier attempts if any exist.

    Otherwise the first checkpoint creates it. root: that of the results store.
    """
    parent = root / "checkpoints" / identity
    own = parent / uuid.uuid4().hex
    _gather_loose(parent)
    for folder in sorted(_folders(parent), key=_newest, reverse=True):
        if own.exists():
            LOCAL.remove(folder)  # older checkpoints are of no use any more
        else:
            with suppress(OSError):  # another attempt has just taken it over
                LOCAL.move(folder, own)
    return own


def drop_scratch(own: Path) -> None:
    """Remove the attempt's folder, and the run's folder unless another attempt uses it."""
    shutil.rmtree(own, ignore_errors=True)
    with suppress(OSError):
        own.parent.rmdir()


def _folders(parent: Path) -> list[Path]:
    try:
        return [path for path in parent.iterdir() if path.is_dir()]
    except OSError:
        return []


def _newest(folder: Path) -> str:
    """Name of the newest checkpoint in the folder. Names of one run sort by age: one stage, padded epochs."""
    return max((path.name for path in folder.glob("*.json")), default="")


def _gather_loose(parent: Path) -> None:
    """Give loose checkpoints a folder: versions before December 2026 wrote them into the run's folder."""
    loose = [path for path in parent.glob("*-*.*") if path.is_file()]
    if loose:
        own = parent / uuid.uuid4().hex
        own.mkdir(exist_ok=True)
        for path in loose:
            with suppress(OSError):
                LOCAL.move(path, own / path.name)
