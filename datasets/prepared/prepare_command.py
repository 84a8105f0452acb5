"""The command that prepares a data set, for messages."""

from __future__ import annotations

import shlex
from pathlib import Path

from datasets.catalogue import describe


def prepare_command(
    data_root: Path,
    dataset: str,
    size_pixels: int,
    *,
    alignment_flag: str | None = None,
    from_source: bool = True,
    further: str = "",
) -> str:
    """The command that prepares `dataset`, with DIR as a placeholder for the user's folder.

    alignment_flag: in place of the data set's own. from_source: False for what is made of the prepared images
    alone. further: flags at the end.
    """
    description = describe(dataset)
    alignment = description.alignment_flag if alignment_flag is None else alignment_flag
    words = [
        f"python -m platform.prepare --dataset {dataset}",
        "" if description.embedded or not from_source else "--source DIR",
        alignment,
        "" if data_root == Path("data") else f"--data-root {shlex.quote(str(data_root))}",
        f"--size {size_pixels}",
        further,
    ]
    return " ".join(filter(None, words))
