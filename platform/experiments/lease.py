"""Leases: who leads an experiment or a study, and where that is stored."""

from __future__ import annotations

import dataclasses
import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from platform.errors import UserError
from platform.files.json_files import parse_json
from platform.files.local_storage import LOCAL
from platform.files.opening import MissingFile, read_text
from platform.files.storage import Storage

LEASE_BYTES = 512


def kernel_id() -> str:
    """Identifies the running kernel, whose processes share file locks and the monotonic clock."""
    try:
        return read_text(Path("/proc/sys/kernel/random/boot_id")).strip()
    except UserError:
        return socket.gethostname()  # not Linux


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A driver's right to lead, with the counter that it raises while it lives."""

    owner: str
    """A random id, unique to the driver."""
    host: str
    process: int
    kernel: str
    counter: int = 0
    beat_at: float = 0.0
    """Monotonic clock of the owner at its last heartbeat, in seconds; meaningless under another kernel."""

    @property
    def driver(self) -> str:
        """Description for messages."""
        return f"process {self.process} on {self.host}" if self.owner else "another driver"


UNKNOWN = Lease(owner="", host="", process=0, kernel="")
"""Stands for a driver that took over and has since ended, which cleared its lease."""


def _lease_from(content: Any) -> Lease | None:
    kinds = {"owner": str, "host": str, "process": int, "kernel": str, "counter": int, "beat_at": float}
    if not isinstance(content, dict) or not all(
        type(content.get(name)) is kind for name, kind in kinds.items()
    ):
        return None  # absent or damaged
    return Lease(**{name: content[name] for name in kinds})


class LeaseSlot(Protocol):
    """A place for one lease, visible to all drivers."""

    def read(self) -> Lease | None:
        """The current lease; None if nobody leads."""

    def write(self, lease: Lease | None) -> None:
        """Store the lease; None clears it."""


class FileSlot:
    """A lease in a file that all nodes see. It is overwritten in place; `Storage.overwrite` explains why."""

    def __init__(self, path: Path, storage: Storage = LOCAL) -> None:
        self._path = path
        self._storage = storage

    def read(self) -> Lease | None:
        """As LeaseSlot; damaged content counts as no lease. UserError: the file cannot be read."""
        try:
            content = self._storage.read(
                self._path, largest_bytes=100 * LEASE_BYTES, remedy="make it readable."
            )
        except MissingFile:
            return None
        with suppress(UserError):
            return _lease_from(parse_json(content, str(self._path)))
        return None

    def write(self, lease: Lease | None) -> None:
        """As LeaseSlot."""
        content = json.dumps(dataclasses.asdict(lease) if lease else None)
        self._storage.overwrite(self._path, content.ljust(LEASE_BYTES).encode())


class StudySlot:
    """A lease in an Optuna study, for databases that drivers with different folders can share."""

    KEY = "leader"

    def __init__(self, study: Any) -> None:
        self._study = study

    def read(self) -> Lease | None:
        """As LeaseSlot."""
        return _lease_from(self._study.user_attrs.get(self.KEY))

    def write(self, lease: Lease | None) -> None:
        """As LeaseSlot."""
        self._study.set_user_attr(self.KEY, dataclasses.asdict(lease) if lease else None)
