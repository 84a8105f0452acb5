"""Prepared stores: aligned faces of one data set at one size, with an index and a manifest.

    <data root>/prepared/<dataset>-<size>/
        images.npy      uint8 (N, size, size, 3), RGB, memory-mapped by its readers
        index.parquet   one line per image, in the order of the images: by subject, sequence, frame
        manifest.json   description, with the hashes of both; written last
        rectangles.npy  only with `--resample released`: uint8 (N, H, W, 4), released_resample.py
        preview.png     for visual inspection; not part of the hash
        layers/         further data with hashes of their own (layer_files.py)

Nothing in it depends on time or place of its making, so preparing twice gives identical bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from datasets.catalogue import describe, file_name, undrawn_records
from datasets.prepared import store_files
from datasets.prepared.landmark_layer import LandmarkLayer
from datasets.prepared.layers import Layer, StoreFacts, read_layer
from datasets.prepared.neutral_layer import NeutralLayer
from datasets.prepared.prepare_command import prepare_command
from datasets.prepared.prepared_sizes import larger_size
from datasets.prepared.sequence_layer import SequenceLayer
from datasets.records import FrameRecord
from platform.errors import UserError
from platform.files.dry_run import is_dry_run

TEXT_COLUMNS = ("subject", "sequence", "expression", "role", "image")
"""Text columns of the index that an open store holds."""


def store_folder(data_root: Path, dataset: str, size_pixels: int) -> Path:
    """The folder of `dataset` prepared at `size_pixels`."""
    return data_root / "prepared" / f"{file_name(dataset)}-{size_pixels}"


class NotPrepared(UserError):
    """Raised if a known data set has no store of the wanted size."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedStore:
    """An open store of N images, which stay on disk until they are accessed."""

    folder: Path
    dataset: str
    size_pixels: int
    hash: str
    """Hash of the manifest, and with it of every byte of images and index."""
    images: np.ndarray
    """uint8 (N, size, size, 3), RGB; mapped copy-on-write, so that no reader can change the file."""
    subjects: np.ndarray
    """str (N,)"""
    sequences: np.ndarray
    """str (N,)"""
    frames: np.ndarray
    """int64 (N,)"""
    expressions: np.ndarray
    """str (N,)"""
    roles: np.ndarray
    """str (N,): `expressive`, `neutral` or `context`."""
    image_names: np.ndarray
    """str (N,), unique."""
    class_names: tuple[str, ...]
    """Expressions of the expressive images, sorted: the order of all class scores."""
    rectangles: np.ndarray | None = None
    """uint8 (N, H, W, 4): face crops scaled as in FMPN's release, RGB and gray, each in the upper left corner
    of its canvas; mapped copy-on-write. None: training uses `images`."""
    rectangle_sizes: np.ndarray | None = None
    """int64 (N, 2): height and width of each rectangle."""
    is_prepared: bool = True
    """False for a store that a dry run only plans: `images` are black, and `hash` is a placeholder."""

    @overload
    def layer(self, name: Literal["sequences"]) -> SequenceLayer: ...
    @overload
    def layer(self, name: Literal["landmarks"]) -> LandmarkLayer: ...
    @overload
    def layer(self, name: Literal["neutral"]) -> NeutralLayer: ...
    @overload
    def layer(self, name: str) -> Layer: ...
    def layer(self, name: str) -> Layer:
        """The layer `name` (layer_files.py), opened after checking every byte against its hashes.

        Raises UserError for a data set that cannot have it (with the reason), and MissingLayer, with the
        command that adds it, for a store without it.
        """
        facts = StoreFacts(
            folder=self.folder,
            dataset=self.dataset,
            size_pixels=self.size_pixels,
            image_names=self.image_names,
            roles=self.roles,
            is_prepared=self.is_prepared,
        )
        return read_layer(facts, name)

    def layer_hashes(self, names: Iterable[str]) -> dict[str, str]:
        """The hashes of the layers `names`, sorted by name, for the record of a run that reads them.

        Raises UserError as `layer`: so it also checks that the store meets what a method needs.
        """
        return {name: self.layer(name).hash for name in sorted(names)}

    @classmethod
    def planned(
        cls, folder: Path, dataset: str, size_pixels: int, records: Sequence[FrameRecord]
    ) -> PreparedStore:
        """The store that preparing `records` will create, in memory and without pixels."""
        ordered = sorted(records, key=lambda record: (record.subject_id, record.sequence_id, record.frame))
        columns = {
            "subject": [record.subject_id for record in ordered],
            "sequence": [record.sequence_id for record in ordered],
            "expression": [record.expression for record in ordered],
            "role": [record.role for record in ordered],
            "image": [record.image_name for record in ordered],
        }
        return cls(
            folder=folder,
            dataset=dataset,
            size_pixels=size_pixels,
            hash=f"{dataset} of {size_pixels} pixels, not prepared yet",
            images=np.broadcast_to(np.zeros((), np.uint8), (len(ordered), size_pixels, size_pixels, 3)),
            frames=np.array([record.frame for record in ordered], dtype=np.int64),
            is_prepared=False,
            **_text_fields({name: np.array(values, dtype=np.str_) for name, values in columns.items()}),
        )

    @classmethod
    def open(cls, folder: Path) -> PreparedStore:
        """Open the store in `folder` after checking every byte against the manifest's hashes.

        Images verified before and unchanged since are not read again. Raises UserError if the store is
        missing, incomplete, damaged, changed or of another recipe version.
        """
        manifest = store_files.read_manifest(folder)
        images = store_files.open_images(folder, manifest)
        store_files.check_hashes(folder, manifest)
        further = store_files.RECTANGLE_COLUMNS if manifest.get("resample") == "released" else ()
        table = store_files.read_table(folder / store_files.INDEX, ["frame", *TEXT_COLUMNS, *further])
        columns = {name: np.array(table[name], dtype=np.str_) for name in TEXT_COLUMNS}
        return cls(
            folder=folder,
            dataset=manifest["dataset"],
            size_pixels=manifest["size_pixels"],
            hash=manifest["hash"],
            images=images,
            frames=np.array(table["frame"], dtype=np.int64),
            **_rectangle_fields(folder, table),
            **_text_fields(columns),
        )


def _rectangle_fields(folder: Path, table: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The fields of a store with rectangles; empty if its index has no sizes of rectangles."""
    names = list(store_files.RECTANGLE_COLUMNS)
    if names[0] not in table:
        return {}
    sizes = np.array([table[name] for name in names], dtype=np.int64).T
    return {
        "rectangle_sizes": sizes,
        "rectangles": store_files.open_rectangles(folder, sizes),
    }


def _text_fields(columns: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The fields of a store that are read from TEXT_COLUMNS."""
    return {
        "subjects": columns["subject"],
        "sequences": columns["sequence"],
        "expressions": columns["expression"],
        "roles": columns["role"],
        "image_names": columns["image"],
        "class_names": tuple(np.unique(columns["expression"][columns["role"] == "expressive"]).tolist()),
    }


def open_prepared(data_root: Path, dataset: str, size_pixels: int) -> PreparedStore:
    """The store of `dataset` at `size_pixels` under `data_root`.

    In a dry run an embedded data set that is not prepared, and one that would be resized from a larger one
    (resized.py), is planned in memory. Raises UserError for an
    unknown data set and as `PreparedStore.open`; NotPrepared if there is no store, with where to request the
    data set, the expected folder and the command that prepares it.
    """
    description = describe(dataset)
    folder = store_folder(data_root, dataset, size_pixels)
    if description.embedded and is_dry_run() and not (folder / store_files.MANIFEST).exists():
        return PreparedStore.planned(folder, dataset, size_pixels, undrawn_records(dataset))
    if folder.is_dir():
        return PreparedStore.open(folder)
    if is_dry_run() and (larger := larger_size(data_root, dataset, size_pixels)) is not None:
        records = records_of(PreparedStore.open(store_folder(data_root, dataset, larger)))
        return PreparedStore.planned(folder, dataset, size_pixels, records)
    command = prepare_command(data_root, dataset, size_pixels)
    missing = (
        f"{description.title} is not prepared at {size_pixels} pixels: {folder.absolute()} does not exist."
    )
    if description.embedded:
        raise NotPrepared(f"{missing} Prepare it with: {command}")
    raise NotPrepared(
        f"{missing} {description.request_from} "
        f"With your copy in a folder DIR (with {description.native_layout}), prepare it with: {command}"
    )


def records_of(store: PreparedStore) -> list[FrameRecord]:
    """The store's images as records of aligned faces, with their names as sources."""
    columns = (
        store.subjects,
        store.sequences,
        store.frames,
        store.expressions,
        store.roles,
        store.image_names,
    )
    return [
        FrameRecord(
            subject_id=subject,
            sequence_id=sequence,
            frame=frame,
            expression=expression,
            role=role,
            source=image,
            landmarks=None,
        )
        for subject, sequence, frame, expression, role, image in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]
