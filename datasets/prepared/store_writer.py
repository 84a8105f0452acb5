"""Writer of prepared stores: in chunks, by any number of processes, resumable after a kill.

Images and a journal grow in a hidden folder next to the store. A line of the journal marks a chunk as
complete, with a checksum of its images and the state of its source files. The next run of the same records
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
from datasets.prepared.released_resample import centre_square, released_face, write_rectangles
from datasets.prepared.store import PreparedStore
from datasets.raw.choices import BadItems
from datasets.records import EXPRESSIONS, FrameRecord
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


def write_prepared(
    folder: Path,
    dataset: str,
    records: Sequence[FrameRecord],
    source: FrameSource,
    recipe: Recipe,
    *,
    bad: BadItems | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> PreparedStore:
    """Align the frames of `records` and store them in `folder`, replacing an existing store.

    `bad` (None: strict) decides whether unusable frames stop the run or are left out; the manifest lists
    everything left out. An existing store equal to the new one stays untouched. The bytes do not depend on
    `workers`. Raises UserError, and leaves `folder` unchanged, for contradictory records, missing or
    implausible landmarks, and a disk that is full or read-only.
    """
    bad = bad or BadItems()
    ordered = sorted(
        records, key=lambda record: (record.subject_id, record.sequence_id, record.frame, record.role)
    )
    _check_records(ordered, recipe.aligned)
    store_files.check_replaceable(folder)
    try:
        with store_files.sole_writer(folder) as partial:
            store_files.check_space(partial, len(ordered), recipe.size_pixels)
            rows = _written_rows(partial, dataset, ordered, source, recipe, bad.skip, workers, progress)
            kept = [number for number, row in enumerate(rows) if "bad" not in row]
            for record, row in zip(ordered, rows, strict=True):
                if "bad" in row:
                    bad.leave_out(record.source, str(row["bad"]))
            if not kept:
                raise UserError(f"none of the {len(rows)} frames can be used; the first: {rows[0]['bad']}")
            if not any(ordered[number].role == "expressive" for number in kept):
                raise UserError(
                    f"at least one frame must show an expression, but none of the {len(kept)} does; "
                    "add expressive images."
                )
            images_sha256 = image_file.finish(partial / store_files.IMAGES, kept, recipe.size_pixels)
            sha256 = {store_files.IMAGES: images_sha256}
            pairs = [(ordered[number], rows[number]) for number in kept]
            columns = _index_columns(pairs, recipe.aligned)
            notes = {**recipe.notes, "aligned": recipe.aligned, "left_out": bad.left_out}
            if recipe.resample == "released":
                notes["resample"] = recipe.resample
                sizes = np.array([row["size"] for _, row in pairs])
                columns |= {"height": sizes[:, 0].tolist(), "width": sizes[:, 1].tolist()}
                faces = (
                    released_face(record, source.read_frame(record), recipe.size_pixels)
                    for record, _ in pairs
                )
                path = partial / store_files.RECTANGLES
                sha256[store_files.RECTANGLES] = write_rectangles(path, faces, sizes)
            store_files.write_index(partial / store_files.INDEX, columns)
            (partial / JOURNAL).unlink()
            store_files.write_manifest(partial, dataset, recipe.size_pixels, len(kept), sha256, notes)
            store_files.put_in_place(partial, folder)
    except OSError as error:
        raise UserError(
            f"cannot write the store {folder}: {error.strerror or error}; it is unchanged. Free disk space "
            "or grant write permission, and run the same command again."
        ) from error
    return PreparedStore.open(folder)


def _check_records(records: Sequence[FrameRecord], aligned: bool) -> None:
    if not records:
        raise UserError("a store needs at least one image, but got none.")
    names: set[str] = set()
    for record in records:
        if record.image_name in names:
            raise UserError(
                f"duplicate frame {record.image_name}; list each frame once, as either neutral or expressive."
            )
        names.add(record.image_name)
        if record.expression not in EXPRESSIONS:
            raise UserError(
                f"{record.source} shows {record.expression!r}, but expressions are {', '.join(EXPRESSIONS)}."
            )
    missing = [record for record in records if record.landmarks is None]
    if missing and not aligned:
        raise UserError(
            f"{len(missing)} of {len(records)} frames have no landmarks, "
            f"the first being {missing[0].image_name}; "
            "pass --landmarks FILE (a CSV with image,left_eye_x,left_eye_y,right_eye_x,...), "
            "--landmarks detect to detect them, "
            "or --aligned if the images are already face crops."
        )


Row = dict[str, Any]
"""Entries of one image: `sha256` and `transform` (6 numbers), or `bad`, the reason why it is unusable."""


def _written_rows(
    partial: Path,
    dataset: str,
    records: Sequence[FrameRecord],
    source: FrameSource,
    recipe: Recipe,
    skip_bad: bool,
    workers: int,
    progress: Progress | None,
) -> list[Row]:
    """Write the images of all records, except those that an earlier run wrote; returns the rows of all."""
    chunks = [records[start : start + CHUNK_IMAGES] for start in range(0, len(records), CHUNK_IMAGES)]
    key = _key(dataset, records, recipe, skip_bad)
    done = _finished_chunks(partial, key, chunks, source, recipe.size_pixels)
    write_synced(partial / JOURNAL, b"".join([key.encode() + b"\n", *map(checked_line, done.values())]))
    wanted = [number for number in range(len(chunks)) if number not in done]
    images = partial / store_files.IMAGES
    write = bound(
        _write_chunk, images, chunk_images=CHUNK_IMAGES, source=source, recipe=recipe, skip=skip_bad
    )
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
    partial: Path,
    key: str,
    chunks: Sequence[Sequence[FrameRecord]],
    source: FrameSource,
    size_pixels: int,
) -> dict[int, dict[str, Any]]:
    """Journal entries of an earlier run of the same records whose images and sources are unchanged."""
    try:
        first, *lines = read_bytes(partial / JOURNAL).splitlines(keepends=True)
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
        crc = image_file.read_crc(
            partial / store_files.IMAGES, number * CHUNK_IMAGES, len(chunk), size_pixels
        )
        if crc == entry["crc"] and entry["stamps"] == [source.stamp(record) for record in chunk]:
            found[number] = {name: value for name, value in entry.items() if name != "crc32"}
    return found


def _write_chunk(
    images: Path,
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
    crc = image_file.write_images(images, number * chunk_images, faces)
    return {"chunk": number, "crc": crc, "stamps": stamps, "rows": rows}


def _index_columns(pairs: Sequence[tuple[FrameRecord, Row]], aligned: bool) -> dict[str, list[object]]:
    rows = [
        {
            "subject": record.subject_id,
            "sequence": record.sequence_id,
            "frame": record.frame,
            "expression": record.expression,
            "role": record.role,
            "image": record.image_name,
            "source": record.source,
            "source_sha256": row["sha256"],
            "landmarks": None if aligned or record.landmarks is None else record.landmarks.ravel().tolist(),
            "transform": row["transform"],
        }
        for record, row in pairs
    ]
    return {name: [row[name] for row in rows] for name in store_files.INDEX_COLUMNS}
