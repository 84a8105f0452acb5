"""The prepared store: aligned faces of one data set at one size, with an index and a manifest.

    <data root>/prepared/<dataset>-<size>/
        images.npy      uint8 (N, size, size, 3), RGB, memory-mapped by its readers
        index.parquet   a row an image, in the images' order: sorted by subject, sequence, frame
        manifest.json   what it is, with the hashes of both; written last
        preview.png     for people; not part of the hash

Nothing in it depends on when or where it was made, so preparing twice gives identical bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets import store_files
from datasets.alignment import (
    LARGEST_RESIDUAL,
    align,
    centre_square_transform,
    residual,
    similarity_transform,
    template_points,
)
from datasets.catalogue import describe
from datasets.records import EXPRESSIONS, FrameRecord
from platform.errors import UserError

Progress = Callable[[int, int], None]
"""Called with (images done, images in all) after every image."""


def store_folder(data_root: Path, dataset: str, size_pixels: int) -> Path:
    """The folder of a data set prepared at a size."""
    return data_root / "prepared" / f"{dataset}-{size_pixels}"


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedStore:
    """An open store: its images stay on disk until they are looked at. N is the number of images."""

    folder: Path
    dataset: str
    size_pixels: int
    hash: str
    """Of the manifest, so of every byte of images and index."""
    images: np.ndarray
    """uint8 (N, size, size, 3), RGB; copy-on-write, so that no reader can change the file."""
    subjects: np.ndarray
    """str (N,)"""
    sequences: np.ndarray
    """str (N,)"""
    frames: np.ndarray
    """int64 (N,)"""
    expressions: np.ndarray
    """str (N,)"""
    roles: np.ndarray
    """str (N,): `expressive` or `neutral`."""
    image_names: np.ndarray
    """str (N,), unique."""
    class_names: tuple[str, ...]
    """Expressions of the expressive images, sorted: the order of all class scores."""

    @classmethod
    def open(cls, folder: Path) -> PreparedStore:
        """The store in `folder`, checked but for the bytes of its images (`verify` rehashes those).

        Raises UserError where it is missing, half-written, damaged or of another recipe version.
        """
        import pyarrow.parquet

        manifest = store_files.read_manifest(folder)
        images = store_files.open_images(folder, manifest)
        # The index is small, and everything rests on it: its hash is worth its milliseconds.
        store_files.check_hash(folder, store_files.INDEX, manifest)
        # ParquetFile and to_pylist, because read_table and to_numpy import pandas: seconds, for nothing.
        with pyarrow.parquet.ParquetFile(folder / store_files.INDEX) as file:
            table = file.read()
        columns = {
            name: np.array(table.column(name).to_pylist(), dtype=np.str_)
            for name in ("subject", "sequence", "expression", "role", "image")
        }
        return cls(
            folder=folder,
            dataset=manifest["dataset"],
            size_pixels=manifest["size_pixels"],
            hash=manifest["hash"],
            images=images,
            subjects=columns["subject"],
            sequences=columns["sequence"],
            frames=np.array(table.column("frame").to_pylist(), dtype=np.int64),
            expressions=columns["expression"],
            roles=columns["role"],
            image_names=columns["image"],
            class_names=tuple(np.unique(columns["expression"][columns["role"] == "expressive"]).tolist()),
        )

    def verify(self) -> None:
        """Hash the files again. Raises UserError that names the one which differs."""
        manifest = store_files.read_manifest(self.folder)
        for name in (store_files.IMAGES, store_files.INDEX):
            store_files.check_hash(self.folder, name, manifest)


def write_store(
    folder: Path,
    dataset: str,
    size_pixels: int,
    records: Sequence[FrameRecord],
    read_frame: Callable[[FrameRecord], np.ndarray],
    *,
    source_sha256: Callable[[FrameRecord], str] = lambda record: "",
    aligned: bool = False,
    progress: Progress | None = None,
) -> PreparedStore:
    """Align the frames of `records` and store them in `folder`; a store already there is replaced.

    `read_frame` gives a record's frame, uint8 (H, W, 3), RGB. `aligned`: frames are face crops
    already, so only their centre square is scaled and landmarks are not used. Where the new store
    equals the one already there, that one stays untouched. Raises UserError, and leaves `folder`
    as it was, for records that contradict each other, landmarks that are missing or no face's,
    and a disk that is full or read-only.
    """
    ordered = sorted(
        records, key=lambda record: (record.subject_id, record.sequence_id, record.frame, record.role)
    )
    _check_records(ordered, aligned)
    store_files.check_replaceable(folder)
    try:
        with store_files.sole_writer(folder) as partial:
            store_files.check_space(partial, len(ordered), size_pixels)
            transforms: list[np.ndarray] = []
            images = _aligned_images(ordered, read_frame, size_pixels, aligned, transforms, progress)
            images_sha256 = store_files.write_images(
                partial / store_files.IMAGES, len(ordered), size_pixels, images
            )
            columns = _index_columns(ordered, transforms, source_sha256, aligned)
            store_files.write_index(partial / store_files.INDEX, columns)
            store_files.write_manifest(partial, dataset, size_pixels, len(ordered), images_sha256)
            store_files.put_in_place(partial, folder)
    except OSError as error:
        raise UserError(
            f"cannot write the store {folder}: {error.strerror or error}; it is as it was before."
        ) from error
    return PreparedStore.open(folder)


def _check_records(records: Sequence[FrameRecord], aligned: bool) -> None:
    if not records:
        raise UserError("a store needs at least one image, but got none.")
    names: set[str] = set()
    for record in records:
        if record.image_name in names:
            raise UserError(
                f"the frame {record.image_name} is wanted twice; "
                "a neutral frame must not be one of the expressive ones."
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
            "pass --landmarks CSV (columns: image,left_eye_x,left_eye_y,right_eye_x,...), "
            "or --aligned if the images are face crops already."
        )


def _aligned_images(
    records: Sequence[FrameRecord],
    read_frame: Callable[[FrameRecord], np.ndarray],
    size_pixels: int,
    aligned: bool,
    transforms: list[np.ndarray],
    progress: Progress | None,
) -> Iterator[np.ndarray]:
    """The aligned image of each record, uint8 (size, size, 3); its transform is added to `transforms`."""
    for done, record in enumerate(records, start=1):
        frame = read_frame(record)
        transforms.append(_transform(record, frame, size_pixels, aligned))
        yield align(frame, transforms[-1], size_pixels)
        if progress is not None:
            progress(done, len(records))


def _transform(record: FrameRecord, frame: np.ndarray, size_pixels: int, aligned: bool) -> np.ndarray:
    """Source frame to aligned image, float64 (2, 3), after a look at whether the points can be a face's."""
    height, width = frame.shape[:2]
    if aligned:
        return centre_square_transform(height, width, size_pixels)
    points = record.landmarks
    assert points is not None, "checked by _check_records"
    if (points < 0).any() or (points >= (width, height)).any():
        raise UserError(
            f"the landmarks of {record.image_name} leave its frame of {width}×{height} pixels "
            f"({record.source}); correct them."
        )
    try:
        off = residual(points)
    except ValueError as error:
        raise UserError(
            f"the landmarks of {record.image_name} are no face's: {error} ({record.source}); correct them."
        ) from error
    if off > LARGEST_RESIDUAL:
        raise UserError(
            f"the landmarks of {record.image_name} ({record.source}) are no frontal face's: they miss the "
            f"template by {off:.2f} of its side, and at most {LARGEST_RESIDUAL} is allowed; correct them "
            "(left means left in the image)."
        )
    return similarity_transform(points, template_points(size_pixels))


def _index_columns(
    records: Sequence[FrameRecord],
    transforms: Sequence[np.ndarray],
    source_sha256: Callable[[FrameRecord], str],
    aligned: bool,
) -> dict[str, list[object]]:
    rows = [
        {
            "subject": record.subject_id,
            "sequence": record.sequence_id,
            "frame": record.frame,
            "expression": record.expression,
            "role": record.role,
            "image": record.image_name,
            "source": record.source,
            "source_sha256": source_sha256(record),
            "landmarks": None if aligned or record.landmarks is None else record.landmarks.ravel().tolist(),
            "transform": transform.ravel().tolist(),
        }
        for record, transform in zip(records, transforms, strict=True)
    ]
    return {name: [row[name] for row in rows] for name in store_files.INDEX_COLUMNS}


def prepare_command(data_root: Path, dataset: str, size_pixels: int) -> str:
    """The command that prepares `dataset`, with DIR and CSV for what only the user can fill in."""
    flags = "" if describe(dataset).embedded else " --source DIR"
    flags += " --landmarks CSV" if dataset == "mmi" else ""
    flags += "" if data_root == Path("data") else f" --data-root {data_root}"
    return f"python -m platform.prepare --dataset {dataset}{flags} --size {size_pixels}"


def open_prepared(data_root: Path, dataset: str, size_pixels: int) -> PreparedStore:
    """The store of `dataset` at `size_pixels` under `data_root`.

    Raises UserError for an unknown data set, and where nothing is prepared: where the data set is
    requested from, where we looked, and the command that prepares it.
    """
    description = describe(dataset)
    folder = store_folder(data_root, dataset, size_pixels)
    if folder.is_dir():
        return PreparedStore.open(folder)
    command = prepare_command(data_root, dataset, size_pixels)
    missing = f"{description.title} is not prepared at {size_pixels} pixels: there is no {folder.absolute()}."
    if description.embedded:
        raise UserError(f"{missing} Prepare it with: {command}")
    raise UserError(
        f"{missing} {description.request_from} "
        f"With your copy in a folder DIR (which holds {description.native_layout}), "
        f"prepare it with: {command}"
    )
