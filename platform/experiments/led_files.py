"""Files of an experiment: only the driver that leads it writes them."""

from __future__ import annotations

from pathlib import Path

from platform.experiments.driver_lease import check_leading
from platform.files.writing import write_atomically


def write_as_leader(path: Path, content: bytes | str) -> None:
    """As `write_atomically`. UserError also where another driver has taken over the experiment's folder."""
    check_leading(path)
    write_atomically(path, content)
