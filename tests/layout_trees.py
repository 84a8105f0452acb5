"""Synthetic sets written by one layout module, and what tests ask of every layout."""

from __future__ import annotations

from pathlib import Path

from datasets.synthetic.layouts import Layout
from datasets.synthetic.parameters import SetParameters

SUBJECTS, FRAMES = 3, 5
"""Of the sets that `drawn_layouts` in tests/conftest.py draws."""


def set_parameters(subjects: int, frames: int = 4, in_the_wild: bool = False) -> SetParameters:
    """Small pictures, 48 × 48."""
    return SetParameters(
        subjects=subjects, frames=frames, difficulty=0.3, seed=0, size_pixels=48, in_the_wild=in_the_wild
    )


def write_layout(layout: Layout, root: Path, parameters: SetParameters) -> Path:
    """The whole set in `root`, place by place, without a manifest."""
    rows = []
    for place in layout.places(parameters):
        rows += layout.write_sequence(root, parameters, *place)
    layout.finish(root, parameters, rows)
    return root


def contents(root: Path) -> dict[str, bytes]:
    """Relative path -> bytes of every file."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
