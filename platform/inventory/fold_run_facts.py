"""Facts on stored fold runs, each read once: state, accuracy, seconds, bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from platform.errors import UserError
from platform.inventory.disk_usage import bytes_of
from platform.runs.store import ResultsStore


@dataclass(frozen=True, kw_only=True)
class FoldRunFacts:
    """What the manifest of a fold run says."""

    state: Literal["complete", "failed", "missing", "damaged"]
    accuracy: float | None = None
    """In [0, 1]; None unless complete."""
    seconds: float = 0.0
    """Time that it computed."""
    size_bytes: int = 0
    reason: str = ""
    """The last line of a failed run's traceback, or why it cannot be read."""


MISSING = FoldRunFacts(state="missing")


class FoldRuns:
    """The fold runs of a store, or the artifacts of one `kind`."""

    def __init__(self, store: ResultsStore, kind: str = "fold_runs") -> None:
        self._store = store
        self._kind = kind
        self._known: dict[str, FoldRunFacts] = {}

    def of(self, identity: str | None) -> FoldRunFacts:
        """Facts on the fold run; `missing` for one that is not stored, `damaged` for an unreadable one."""
        if identity is None:
            return MISSING
        if identity not in self._known:
            self._known[identity] = self._read(identity)
        return self._known[identity]

    def _read(self, identity: str) -> FoldRunFacts:
        try:
            manifest = self._store.manifest(self._kind, identity)
        except UserError as error:
            return FoldRunFacts(state="damaged", reason=str(error))
        if manifest is None:
            return MISSING
        size = bytes_of(f"{self._store.root}/{self._kind}/{identity}")
        if manifest["status"] != "complete":
            lines = str(manifest.get("traceback", "")).strip().splitlines()
            return FoldRunFacts(
                state="failed", size_bytes=size, reason=lines[-1] if lines else "no traceback"
            )
        return FoldRunFacts(
            state="complete",
            accuracy=manifest.get("accuracy"),
            seconds=float(manifest.get("seconds") or 0.0),
            size_bytes=size,
        )
