"""The synthetic sets that every user has, by name."""

from __future__ import annotations

from pathlib import Path

from datasets.synthetic.frames import SetParameters
from datasets.synthetic.set_writer import Progress, write_set

SYNTHETIC_SETS: dict[str, SetParameters] = {
    "synthetic": SetParameters(subjects=20, frames=6, difficulty=0.4, seed=0, size_pixels=192),
    "synthetic_wild": SetParameters(
        subjects=24, frames=4, difficulty=0.5, seed=1, size_pixels=192, in_the_wild=True
    ),
}
"""Data set name -> what it is made from."""


def ensure_set_written(name: str, root: Path, progress: Progress | None = None) -> None:
    """Write the set `name` into `root` unless it is there. Raises UserError where something else is."""
    write_set(root, SYNTHETIC_SETS[name], progress=progress)
