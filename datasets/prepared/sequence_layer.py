"""The layer `sequences` of a prepared set: all frames of its labelled sequences, in order.

    frames.npy         uint8 (F, size, size, 3), RGB, memory-mapped: the frames of all sequences, one after
                       another
    frames.parquet     one line per frame: number, path in the copy, its SHA-256, how it was aligned,
                       landmarks, transform
    sequences.parquet  one line per sequence: name, subject, class, first frame and number of frames in
                       frames.npy, place of the apex

Frames are aligned as the images of the store are, so a frame that is also an image has the same bytes in
both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from datasets.catalogue import describe
from datasets.prepared import store_files
from datasets.prepared.layer_files import layer_command, layer_folder, open_layer
from datasets.records import FrameRecord

NAME = "sequences"
FRAMES, FRAME_TABLE, SEQUENCE_TABLE = "frames.npy", "frames.parquet", "sequences.parquet"

FRAME_COLUMNS = {
    "frame": "int64",
    "source": "string",
    "source_sha256": "string",
    "alignment": "string",
    "landmarks": "numbers",
    "transform": "numbers",
}
"""As in the index of a store; `alignment` is one of `FrameAlignment` (sequence_alignment.py)."""
SEQUENCE_COLUMNS = {
    "sequence": "string",
    "subject": "string",
    "expression": "string",
    "first": "int64",
    "frames": "int64",
    "apex": "int64",
}
"""`first`: place in frames.npy. `apex`: place in the sequence, -1 where the data set does not say."""


class FrameArray(Protocol):
    """Frames that can be read by slices: an array, or several as one (merged_layers.py)."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, frames: slice, /) -> np.ndarray: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceLayer:
    """Q sequences of F frames in all, which stay on disk until they are accessed."""

    hash: str
    """Hash of the layer's manifest, and with it of every byte; independent of the images of the store."""
    frames: FrameArray
    """uint8 (F, size, size, 3), RGB; mapped copy-on-write."""
    frame_numbers: np.ndarray
    """int64 (F,): as the data set numbers them, ascending in each sequence; gaps are possible."""
    alignments: np.ndarray
    """str (F,): how each frame was aligned."""
    names: np.ndarray
    """str (Q,), unique: by subject, then by name."""
    subjects: np.ndarray
    """str (Q,)"""
    expressions: np.ndarray
    """str (Q,): the class of each sequence."""
    first: np.ndarray
    """int64 (Q,): place of each sequence's first frame."""
    lengths: np.ndarray
    """int64 (Q,): number of frames, 2 or more."""
    apexes: np.ndarray
    """int64 (Q,): place of the apex in the sequence, from 0; -1 where the data set does not say."""

    @classmethod
    def open(cls, store: Path) -> SequenceLayer:
        """The layer of the store in the folder `store`, after checking every byte against its hashes.

        Raises UserError, with the command that adds it, if it is missing, damaged or of another version.
        """
        manifest = open_layer(store, NAME)
        folder = layer_folder(store, NAME)
        size_pixels = manifest["size_pixels"]
        shape = (manifest["frame_count"], size_pixels, size_pixels, 3)
        remedy = f"add the layer again with {layer_command(store, NAME)}."
        frame = store_files.read_table(folder / FRAME_TABLE, ["frame", "alignment"])
        sequence = store_files.read_table(folder / SEQUENCE_TABLE, list(SEQUENCE_COLUMNS))
        return cls(
            hash=manifest["hash"],
            frames=store_files.open_array(folder / FRAMES, shape, np.uint8, remedy),
            frame_numbers=np.array(frame["frame"], dtype=np.int64),
            alignments=np.array(frame["alignment"], dtype=np.str_),
            **_fields(sequence),
        )

    @classmethod
    def planned(cls, dataset: str, size_pixels: int, records: Sequence[FrameRecord]) -> SequenceLayer:
        """The layer that preparing `records` (whole sequences) will create, in memory and without pixels."""
        groups = labelled_sequences(records)
        frames = [record for group in groups for record in group]
        return cls(
            hash=f"{dataset} of {size_pixels} pixels, sequences not prepared yet",
            frames=np.broadcast_to(np.zeros((), np.uint8), (len(frames), size_pixels, size_pixels, 3)),
            frame_numbers=np.array([record.frame for record in frames], dtype=np.int64),
            alignments=np.array(["own"] * len(frames), dtype=np.str_),
            **_fields(sequence_columns(dataset, groups)),
        )

    def read(self, sequence: int) -> np.ndarray:
        """The frames of one sequence, in order: uint8 (n, size, size, 3), a copy."""
        start = int(self.first[sequence])
        return np.array(self.frames[start : start + int(self.lengths[sequence])])


def _fields(columns: dict[str, list[Any]]) -> dict[str, Any]:
    """The fields of a layer that are read from SEQUENCE_COLUMNS."""
    return {
        "names": np.array(columns["sequence"], dtype=np.str_),
        "subjects": np.array(columns["subject"], dtype=np.str_),
        "expressions": np.array(columns["expression"], dtype=np.str_),
        "first": np.array(columns["first"], dtype=np.int64),
        "lengths": np.array(columns["frames"], dtype=np.int64),
        "apexes": np.array(columns["apex"], dtype=np.int64),
    }


def labelled_sequences(records: Sequence[FrameRecord]) -> list[list[FrameRecord]]:
    """The frames of every sequence that has an expressive one, in order; by subject, then by name."""
    groups: dict[tuple[str, str], list[FrameRecord]] = {}
    for record in sorted(records, key=lambda one: (one.subject_id, one.sequence_id, one.frame)):
        groups.setdefault((record.subject_id, record.sequence_id), []).append(record)
    return [group for group in groups.values() if any(one.role == "expressive" for one in group)]


def sequence_columns(dataset: str, groups: Sequence[Sequence[FrameRecord]]) -> dict[str, list[Any]]:
    """The columns SEQUENCE_COLUMNS of the labelled sequences `groups`."""
    course = describe(dataset).course
    columns: dict[str, list[Any]] = {name: [] for name in SEQUENCE_COLUMNS}
    first = 0
    for group in groups:
        expression = next(one.expression for one in group if one.role == "expressive")
        apex = {"to_apex": len(group) - 1, "there_and_back": len(group) // 2}.get(course, -1)
        line = (group[0].sequence_id, group[0].subject_id, expression, first, len(group), apex)
        for name, value in zip(SEQUENCE_COLUMNS, line, strict=True):
            columns[name].append(value)
        first += len(group)
    return columns
