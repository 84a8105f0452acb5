"""Aligned faces of many frames in one array: in chunks, by any number of processes, resumable after a kill.

The array and a journal grow in the hidden folder of a writer. A line of the journal marks a chunk as
complete, with a checksum of its faces and the state of its source files. The next run of the same records
takes over the chunks for which both still hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial as bound
from pathlib import Path
from typing import Any, Literal

import numpy as np

from datasets.alignment.frame_alignment import aligning_transform
from datasets.alignment.similarity import align
from datasets.prepared import image_file, store_files
from datasets.prepared.chunk_processes import in_processes
from datasets.prepared.released_resample import centre_square, released_face
from datasets.records import FrameRecord
from platform.errors import UserError
from platform.files.checked_lines import DamagedLine, checked_line, value_of
from platform.files.opening import MissingFile, read_bytes
from platform.files.synced import write_synced

Progress = Callable[[int, int], None]
"""Called with (images done, total images) after every chunk."""

Resample = Literal["cubic", "released"]

JOURNAL = "journal.jsonl"
CHUNK_IMAGES = 16


def _no_hash(record: FrameRecord) -> str:
    return ""


def _no_stamp(record: FrameRecord) -> list[int]:
    return []


@dataclass(frozen=True, kw_only=True)
class FrameSource:
    """The source of frames. With several processes all three functions must be picklable."""

    read_frame: Callable[[FrameRecord], np.ndarray]
    """Returns a record's frame, uint8 (H, W, 3), RGB."""
    sha256: Callable[[FrameRecord], str] = _no_hash
    """Returns the SHA-256 of a record's source file."""
    stamp: Callable[[FrameRecord], list[int]] = _no_stamp
    """Returns size and modification time of the source file, which change with it."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How frames become stored faces."""

    size_pixels: int
    """Side of the stored faces."""
    aligned: bool = False
    """Frames are already face crops: their centre square is scaled, landmarks are not used."""
    resample: Resample = "cubic"
    """How face crops are scaled: `cubic` to squares, `released` as in FMPN's release
    (released_resample.py)."""
    notes: Mapping[str, object] = field(default_factory=dict)
    """Further entries of the manifest: how frames and landmarks were chosen."""


Row = dict[str, Any]
"""Entries of one image: `sha256` and `transform` (6 numbers), or `bad`, the reason why it is unusable."""


def write_faces(
    path: Path,
    dataset: str,
    records: Sequence[FrameRecord],
    source: FrameSource,
    recipe: Recipe,
    *,
    skip_bad: bool,
    workers: int,
    progress: Progress | None,
) -> list[Row]:
    """Write the aligned faces of all records to the array file `path`, except those that an earlier run
    wrote; returns the rows of all.

    The journal beside `path` stays; whoever completes the array (`image_file.finish`) removes it. Raises
    UserError for an unusable frame unless `skip_bad`; its face is then black and its row says why.
    """
    partial = path.parent
    chunks = [records[start : start + CHUNK_IMAGES] for start in range(0, len(records), CHUNK_IMAGES)]
    key = _key(dataset, records, recipe, skip_bad)
    done = _finished_chunks(path, key, chunks, source, recipe.size_pixels)
    write_synced(partial / JOURNAL, b"".join([key.encode() + b"\n", *map(checked_line, done.values())]))
    wanted = [number for number in range(len(chunks)) if number not in done]
    write = bound(_write_chunk, path, chunk_images=CHUNK_IMAGES, source=source, recipe=recipe, skip=skip_bad)
    images_done = sum(len(chunks[number]) for number in done)
    with (partial / JOURNAL).open("ab") as journal:
        for number, entry in zip(
            wanted, in_processes(write, [(number, chunks[number]) for number in wanted], workers), strict=True
        ):
            done[number] = entry
            journal.write(checked_line(entry))
            journal.flush()
            images_done += len(chunks[number])
            if progress is not None:
                progress(images_done, len(records))
    return [row for number in range(len(chunks)) for row in done[number]["rows"]]


def _key(dataset: str, records: Sequence[FrameRecord], recipe: Recipe, skip_bad: bool) -> str:
    """A hash of everything that decides the content of the chunks except the source files."""
    content = [
        [one.image_name, one.role, one.source, None if one.landmarks is None else one.landmarks.tolist()]
        for one in records
    ]
    everything = [
        store_files.RECIPE_VERSION, CHUNK_IMAGES, dataset, recipe.size_pixels, recipe.aligned, skip_bad,
        content,
    ]  # fmt: skip
    if recipe.resample != "cubic":  # keys of earlier versions stay valid
        everything.append(recipe.resample)
    return hashlib.sha256(json.dumps(everything).encode()).hexdigest()


def _finished_chunks(
    path: Path,
    key: str,
    chunks: Sequence[Sequence[FrameRecord]],
    source: FrameSource,
    size_pixels: int,
) -> dict[int, dict[str, Any]]:
    """Journal entries of an earlier run of the same records whose images and sources are unchanged."""
    try:
        first, *lines = read_bytes(path.with_name(JOURNAL)).splitlines(keepends=True)
    except (MissingFile, ValueError):  # missing or empty
        return {}
    if first != key.encode() + b"\n":
        return {}
    found = {}
    for line in lines:
        try:
            entry = value_of(line)
        except DamagedLine:  # truncated by a kill or a full disk, or zeroed by a power failure
            continue
        number, chunk = entry["chunk"], chunks[entry["chunk"]]
        crc = image_file.read_crc(path, number * CHUNK_IMAGES, len(chunk), size_pixels)
        if crc == entry["crc"] and entry["stamps"] == [source.stamp(record) for record in chunk]:
            found[number] = {name: value for name, value in entry.items() if name != "crc32"}
    return found


def _write_chunk(
    path: Path,
    numbered: tuple[int, Sequence[FrameRecord]],
    *,
    chunk_images: int,
    source: FrameSource,
    recipe: Recipe,
    skip: bool,
) -> dict[str, Any]:
    """Align and write one chunk; returns its journal entry."""
    number, records = numbered
    faces, rows, stamps = [], [], []
    for record in records:
        stamps.append(source.stamp(record))
        try:
            frame = source.read_frame(record)
            transform = aligning_transform(record, frame, recipe.size_pixels, recipe.aligned)
            row: Row = {"sha256": source.sha256(record), "transform": transform.ravel().tolist()}
            if recipe.resample == "released":
                scaled = released_face(record, frame, recipe.size_pixels)
                row["size"] = list(scaled.shape[:2])
                faces.append(centre_square(scaled))
            else:
                faces.append(align(frame, transform, recipe.size_pixels))
            rows.append(row)
        except UserError as error:
            if not skip:
                raise
            rows.append({"bad": str(error)})
            faces.append(np.zeros((recipe.size_pixels, recipe.size_pixels, 3), np.uint8))
    crc = image_file.write_images(path, number * chunk_images, faces)
    return {"chunk": number, "crc": crc, "stamps": stamps, "rows": rows}
