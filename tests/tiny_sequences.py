"""The faces of tests/tiny_faces.py with their sequences, prepared in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

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


class Frames:
    """n sequences of lengths that are given; frame k of sequence s has the gray level 10 s + k in its left
    half."""

    def __init__(self, *lengths: int, side: int = 20) -> None:
        self.lengths = np.array(lengths)
        self._side = side
        self.read_places: list[int] = []

    def read(self, place: int) -> np.ndarray:
        self.read_places.append(place)
        frames = np.zeros((self.lengths[place], self._side, self._side, 3), dtype=np.uint8)
        for number in range(len(frames)):
            frames[number, :, : self._side // 2] = 10 * place + number
        return frames
