"""The folder for the checkpoints of one attempt at a run: `<runs>/checkpoints/<identity>/<owner>`.

Two experiments can carry out the same run at once, each in a folder of its own. Whoever starts takes over the
newest checkpoints that are there. A former owner that still lives does not mind: checkpoints are read at
the start only, and its next one goes into a new folder.
"""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path


def own_scratch(root: Path, identity: str) -> Path:
    """A folder of this attempt's own, with the newest checkpoints of earlier attempts if there are any.

    It is made with its first checkpoint. root: the results store's.
    """
    parent = root / "checkpoints" / identity
    own = parent / uuid.uuid4().hex
    _gather_loose(parent)
    for folder in sorted(_folders(parent), key=_newest, reverse=True):
        if own.exists():
            shutil.rmtree(folder, ignore_errors=True)  # older ones are of no use any more
        else:
            with suppress(OSError):  # another attempt has just taken it over
                os.rename(folder, own)
    return own


def drop_scratch(own: Path) -> None:
    """Remove the attempt's folder, and the run's where no other attempt has one."""
    shutil.rmtree(own, ignore_errors=True)
    with suppress(OSError):
        own.parent.rmdir()


def _folders(parent: Path) -> list[Path]:
    try:
        return [path for path in parent.iterdir() if path.is_dir()]
    except OSError:
        return []


def _newest(folder: Path) -> str:
    """Name of the folder's newest checkpoint; all of one run are of one stage, with as many digits."""
    return max((path.name for path in folder.glob("*.json")), default="")


def _gather_loose(parent: Path) -> None:
    """Versions before December 2026 wrote checkpoints into the run's folder itself."""
    loose = [path for path in parent.glob("*-*.*") if path.is_file()]
    if loose:
        own = parent / uuid.uuid4().hex
        own.mkdir(exist_ok=True)
        for path in loose:
            with suppress(OSError):
                os.rename(path, own / path.name)
