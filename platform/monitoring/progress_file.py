"""The progress of an experiment in a file of its folder, for whoever sees the folder but not the driver."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from platform.errors import UserError
from platform.experiments.led_files import write_as_leader
from platform.files.json_files import parse_json
from platform.files.opening import MissingFile, read_bytes

if TYPE_CHECKING:
    from platform.monitoring.progress import Progress

PROGRESS_FILE = "progress.json"
LARGEST_BYTES = 2**20

DriverState = Literal["running", "finished", "stopped"]
"""What the driver did when it wrote. One that was killed leaves `running`."""


@dataclass(frozen=True, kw_only=True)
class StatedProgress:
    """What a driver last wrote about its progress."""

    time: str
    """When it was written, by the clock of the driver's machine: ISO 8601, UTC."""
    state: DriverState
    phase: str
    elapsed_seconds: float
    seconds_left: float
    """Estimated seconds until the end, from `time` on."""
    counts: Mapping[str, Any]
    """As in the event log: `runs_done`, `runs_expected`, `runs_running`, `runs_failed`, trials."""
    best: str
    failures: tuple[Mapping[str, str], ...] = ()
    """The last failed runs: `label` and `identity`."""

    @property
    def estimated_end(self) -> str:
        """UTC, to the minute."""
        end = datetime.fromisoformat(self.time) + timedelta(seconds=self.seconds_left)
        return end.strftime("%Y-%m-%d %H:%M UTC")


def keep_progress(
    folder: Path,
    progress: Progress,
    state: DriverState,
    elapsed_seconds: float,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Replace the file, as the driver that leads the experiment in `folder`.

    UserError: another driver has taken over, or the file cannot be written.
    """
    content = {
        "format": "progress",
        "time": now().isoformat(timespec="seconds"),
        "state": state,
        "elapsed_seconds": round(elapsed_seconds, 1),
        **progress.facts(),
    }
    write_as_leader(folder / PROGRESS_FILE, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_progress(folder: Path) -> StatedProgress | None:
    """What the last driver wrote; None where it wrote nothing, as versions before December 2026 did.

    UserError: the file is damaged.
    """
    path = folder / PROGRESS_FILE
    remedy = "remove it: the next driver writes it again."
    try:
        content = parse_json(
            read_bytes(path, largest_bytes=LARGEST_BYTES, remedy=remedy), str(path), remedy=remedy
        )
    except MissingFile:
        return None
    try:
        found = StatedProgress(**{field.name: content[field.name] for field in fields(StatedProgress)})
        float(found.elapsed_seconds), float(found.seconds_left)
        datetime.fromisoformat(found.time)
        dict(found.counts)
        [(one["label"], one["identity"]) for one in found.failures]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not the progress of a driver ({error!r}); {remedy}") from error
    return found
