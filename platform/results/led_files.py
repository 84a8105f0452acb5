"""Files of an experiment: only the driver that leads it writes them."""

from __future__ import annotations

from pathlib import Path

from platform.results.files import write_atomically
from platform.results.leadership import check_leading


def write_as_leader(path: Path, content: bytes | str) -> None:
    """As `write_atomically`. UserError also where another driver has taken over the experiment's folder."""
    check_leading(path)
    write_atomically(path, content)
