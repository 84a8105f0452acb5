"""Prepared stores of test images, written in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from datasets.prepared.face_chunks import FrameSource, Recipe
from datasets.prepared.store import PreparedStore
from datasets.prepared.store_writer import write_prepared
from datasets.records import FrameRecord


def write_store(
    folder: Path,
    dataset: str,
    size_pixels: int,
    records: Sequence[FrameRecord],
    read_frame: Callable[[FrameRecord], np.ndarray],
    *,
    source_sha256: Callable[[FrameRecord], str] = lambda record: "",
    aligned: bool = False,
) -> PreparedStore:
    """`write_prepared` with its most common arguments; every bad frame is an error."""
    source = FrameSource(read_frame=read_frame, sha256=source_sha256)
    return write_prepared(folder, dataset, records, source, Recipe(size_pixels=size_pixels, aligned=aligned))
