"""Where an Optuna study lives."""

from __future__ import annotations

from pathlib import Path

import optuna

LOCK_GRACE_SECONDS = 5
"""A killed driver leaves the journal's lock behind; it is broken after this long without a change."""


def open_storage(path: Path) -> optuna.storages.BaseStorage:
    """The study's journal file: safe on NFS, and survives a kill at any moment."""
    from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = JournalFileSymlinkLock(str(path), grace_period=LOCK_GRACE_SECONDS)
    return optuna.storages.JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
