"""The synthetic sets that every user has, by name."""

from __future__ import annotations

from pathlib import Path

from datasets.synthetic.frames import SetParameters
from datasets.synthetic.set_writer import Progress, write_set

SYNTHETIC_SETS: dict[str, SetParameters] = {
    "synthetic": SetParameters(subjects=20, frames=6, difficulty=0.4, seed=0, size_pixels=192),
    "synthetic_mmi": SetParameters(subjects=31, frames=4, difficulty=0.45, seed=2, size_pixels=160),
    "synthetic_wild": SetParameters(
        subjects=24, frames=4, difficulty=0.5, seed=1, size_pixels=192, in_the_wild=True
    ),
}
"""Data set name -> what it is made from: CK+'s, MMI's and AffectNet's counterparts."""

LAYOUT_OF_SET = {"synthetic": "ckplus", "synthetic_mmi": "mmi", "synthetic_wild": "ckplus"}


def ensure_set_written(name: str, root: Path, progress: Progress | None = None) -> None:
    """Write the set `name` into `root` unless it is there. Raises UserError where something else is."""
    write_set(root, SYNTHETIC_SETS[name], layout=LAYOUT_OF_SET[name], progress=progress)
