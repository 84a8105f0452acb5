"""Files of an experiment, written only by the driver that leads it."""

from __future__ import annotations

from pathlib import Path

from platform.experiments.driver_lease import check_leading
from platform.files.writing import write_atomically


def write_as_leader(path: Path, content: bytes | str) -> None:
    """As `write_atomically`; also raises UserError if another driver has taken over the experiment."""
    check_leading(path)
    write_atomically(path, content)
