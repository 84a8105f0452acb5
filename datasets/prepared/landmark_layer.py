"""The layer `landmarks` of a prepared set: 68 points of its images and of all frames of its sequences.

    landmarks.npy   float32 (M, 68, 2): x and y in pixels of the aligned face, memory-mapped
    frames.parquet  one line per face: name (that of the image in the store), subject, sequence, frame

Points follow iBUG's order. They may lie outside the aligned face, whose crop ends at the chin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

import numpy as np

from datasets.prepared import store_files
from datasets.prepared.layer_files import (
    layer_command,
    layer_folder,
    layer_writer,
    open_layer,
    write_layer_manifest,
)
from datasets.records import FrameRecord
from platform.errors import UserError
from platform.files.synced import write_synced

NAME = "landmarks"
LANDMARKS, TABLE = "landmarks.npy", "frames.parquet"
POINTS = 68
COLUMNS = {"image": "string", "subject": "string", "sequence": "string", "frame": "int64"}


@dataclass(frozen=True, kw_only=True, eq=False)
class LandmarkLayer:
    """The points of M faces."""

    hash: str
    """Hash of the layer's manifest, and with it of every byte."""
    points: np.ndarray
    """float32 (M, 68, 2), pixels of the aligned face; mapped copy-on-write."""
    image_names: np.ndarray
    """str (M,), unique: by subject, sequence, frame."""
    subjects: np.ndarray
    """str (M,)"""

    @classmethod
    def open(cls, store: Path) -> LandmarkLayer:
        """The layer of the store in the folder `store`, after checking every byte against its hashes.

        Raises UserError, with the command that adds it, if it is missing, damaged or of another version.
        """
        manifest = open_layer(store, NAME)
        folder = layer_folder(store, NAME)
        remedy = f"add the layer again with {layer_command(store, NAME)}."
        table = store_files.read_table(folder / TABLE, list(COLUMNS))
        shape = (manifest["face_count"], POINTS, 2)
        points = store_files.open_array(folder / LANDMARKS, shape, np.float32, remedy)
        return cls.of(manifest["hash"], points, table["image"], table["subject"])

    @classmethod
    def of(
        cls, digest: str, points: np.ndarray, names: Sequence[str], subjects: Sequence[str]
    ) -> LandmarkLayer:
        """The layer of these faces; `digest` is its hash."""
        return cls(
            hash=digest,
            points=points,
            image_names=np.array(names, dtype=np.str_),
            subjects=np.array(subjects, dtype=np.str_),
        )

    @classmethod
    def planned(cls, dataset: str, size_pixels: int, records: Sequence[FrameRecord]) -> LandmarkLayer:
        """The layer that preparing `records` will create, in memory and with all points in the corner."""
        ordered = sorted(records, key=lambda one: (one.subject_id, one.sequence_id, one.frame))
        return cls.of(
            f"{dataset} of {size_pixels} pixels, landmarks not prepared yet",
            np.broadcast_to(np.zeros((), np.float32), (len(ordered), POINTS, 2)),
            [record.image_name for record in ordered],
            [record.subject_id for record in ordered],
        )

    def rows_of(self, image_names: Iterable[str]) -> np.ndarray:
        """int64 (n,): the row of each named face. Raises UserError for one without landmarks."""
        names = [str(name) for name in image_names]
        absent = [name for name in names if name not in self._row_of]
        if absent:
            raise UserError(
                f"{len(absent)} of {len(names)} faces have no 68 landmarks, the first being {absent[0]}; "
                "they were left out when the layer was made (its manifest.json lists them)."
            )
        return np.array([self._row_of[name] for name in names], dtype=np.int64)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.image_names.tolist())}


def write_landmarks(
    store: Path,
    dataset: str,
    size_pixels: int,
    faces: Sequence[tuple[FrameRecord, np.ndarray]],
    notes: dict[str, object],
) -> None:
    """Store the points of `faces`, each (68, 2) in pixels of the aligned face, as a layer of `store`."""
    ordered = sorted(faces, key=lambda face: (face[0].subject_id, face[0].sequence_id, face[0].frame))
    columns: dict[str, list[object]] = {
        "image": [record.image_name for record, _ in ordered],
        "subject": [record.subject_id for record, _ in ordered],
        "sequence": [record.sequence_id for record, _ in ordered],
        "frame": [record.frame for record, _ in ordered],
    }
    content = BytesIO()
    np.save(content, np.stack([points for _, points in ordered]).astype(np.float32), allow_pickle=False)
    with layer_writer(store, NAME) as partial:
        write_synced(partial / LANDMARKS, content.getvalue())
        store_files.write_table(partial / TABLE, columns, COLUMNS)
        notes = {**notes, "face_count": len(ordered)}
        write_layer_manifest(partial, NAME, dataset, size_pixels, (LANDMARKS, TABLE), notes)
