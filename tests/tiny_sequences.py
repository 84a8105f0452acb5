"""The faces of tests/tiny_faces.py with their sequences, prepared in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datasets.prepared.face_chunks import FrameSource, Recipe
from datasets.prepared.sequence_writer import write_sequences
from datasets.prepared.store import PreparedStore
from datasets.raw.choices import BadItems
from datasets.records import FrameRecord
from tests.tiny_faces import SIZE, face, prepare_tiny, records


def prepare_tiny_sequences(
    data_root: Path,
    dataset: str = "synthetic",
    subjects: int = 5,
    *,
    frames: int = 2,
    others: str = "",
    size: int = SIZE,
) -> PreparedStore:
    """`prepare_tiny` with the layer `sequences`: of each subject and class a neutral frame, number 0, and
    `frames` frames of the expression. The images are those of `prepare_tiny`."""
    store = prepare_tiny(data_root, dataset, subjects, others=others, size=size)
    source = FrameSource(read_frame=lambda one: face(others + one.subject_id, _shown(one), one.frame, size))
    recipe = Recipe(size_pixels=size, aligned=True)
    write_sequences(store, _whole(records(subjects, frames)), source, recipe, bad=BadItems())
    return store


def _whole(made: Sequence[FrameRecord]) -> list[FrameRecord]:
    """The expressive frames of each sequence, with a neutral one before them."""
    shown = [one for one in made if one.role == "expressive"]
    first = {one.sequence_id: one for one in reversed(shown)}.values()
    return [*shown, *(replace(one, frame=0, role="context") for one in first)]


def _shown(record: FrameRecord) -> str:
    return "neutral" if record.role == "context" else record.expression
