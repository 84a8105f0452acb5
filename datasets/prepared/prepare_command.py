"""The command that prepares a data set, for messages."""

from __future__ import annotations

import shlex
from pathlib import Path

from datasets.catalogue import describe


def prepare_command(data_root: Path, dataset: str, size_pixels: int) -> str:
    """The command that prepares `dataset`, with DIR as a placeholder for the user's folder."""
    description = describe(dataset)
    flags = "" if description.embedded else " --source DIR"
    flags += f" {description.alignment_flag}" if description.alignment_flag else ""
    flags += "" if data_root == Path("data") else f" --data-root {shlex.quote(str(data_root))}"
    return f"python -m platform.prepare --dataset {dataset}{flags} --size {size_pixels}"
