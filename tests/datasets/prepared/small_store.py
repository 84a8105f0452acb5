"""A few drawn faces as records and frames, and the store made of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from datasets.prepared.store import PreparedStore
from datasets.records import FrameRecord
from tests.raw_trees import draw_face, face_points
from tests.written_stores import write_store

SIZE = 24


def record(subject: str, frame: int, expression: str = "anger", **changes: object) -> FrameRecord:
    fields: dict[str, object] = {
        "subject_id": subject, "sequence_id": f"{subject}_001", "frame": frame, "expression": expression,
        "role": "neutral" if expression == "neutral" else "expressive",
        "source": f"{subject}/{frame}.png", "landmarks": face_points(frame / 2),
    }  # fmt: skip
    return FrameRecord(**(fields | changes))  # type: ignore[arg-type]


def read_frame(one: FrameRecord) -> np.ndarray:
    gray = draw_face(face_points(one.frame / 2), mouth=1 + 2 * one.frame)
    return np.repeat(gray[..., None], 3, axis=2)


RECORDS = [
    record("S002", 9, "surprise"),
    record("S001", 5),
    record("S001", 1, "neutral"),
    record("S001", 4),
    record("S002", 1, "neutral"),
    record("S002", 10, "surprise"),
]


def write_records(
    folder: Path,
    records: list[FrameRecord] = RECORDS,
    read: Callable[[FrameRecord], np.ndarray] = read_frame,
) -> PreparedStore:
    """The store of `records`, each with a hash of its source."""
    return write_store(
        folder, "ckplus", SIZE, records, read, source_sha256=lambda one: f"hash of {one.source}"
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
