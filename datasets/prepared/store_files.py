"""Files of a prepared store: written atomically, read strictly.

Everything is written into a folder next to the store, which is renamed to the store when it is complete. A
killed run leaves that folder behind, and the next run takes it over.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from datasets.prepared.prepare_command import prepare_command
from datasets.prepared.verified_files import has_sha256
from platform.errors import UserError
from platform.files.json_files import parse_own_json
from platform.files.local_storage import LOCAL, is_temporary
from platform.files.locks import exclusive
from platform.files.opening import check_regular, file_sha256, read_bytes
from platform.files.synced import sync, write_synced

RECIPE_VERSION = 2
"""Raised with every change to frame selection, alignment or format that can change a byte of a store."""

IMAGES, INDEX, MANIFEST, PREVIEW = "images.npy", "index.parquet", "manifest.json", "preview.png"
RECTANGLES = "rectangles.npy"
"""File of stores made with `--resample released` only (datasets/prepared/released_resample.py)."""
LAYERS = "layers"
"""Folder of the layers, which have hashes of their own (datasets/prepared/layer_files.py)."""
STORE_FILES = frozenset({IMAGES, RECTANGLES, INDEX, MANIFEST, PREVIEW, LAYERS})


def manifest_hash(manifest: dict[str, Any]) -> str:
    """SHA-256 (64 hex digits) of all fields of the manifest except `hash`, as canonical JSON."""
    fields = {key: value for key, value in manifest.items() if key != "hash"}
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the store in `folder`. Raises UserError unless it is complete and valid."""
    path = folder / MANIFEST
    if not folder.is_dir():
        raise UserError(f"there is no prepared store at {folder}; create it with {_command_of(folder)}.")
    if not path.is_file():
        raise UserError(f"the store {folder} is incomplete (no {MANIFEST}); {_again(folder)}")
    try:
        manifest = parse_own_json(read_bytes(path), str(path))
        sound = manifest["format"] == "prepared-store" and manifest["hash"] == manifest_hash(manifest)
        version = manifest["recipe_version"]
    except (UserError, KeyError, TypeError, AttributeError, RecursionError):
        sound, version = False, None
    if not sound:
        raise UserError(f"{path} is damaged (it does not match its own hash); {_again(folder)}")
    if version != RECIPE_VERSION:
        raise UserError(
            f"the store {folder} was made by recipe version {version}, "
            f"but this code reads {RECIPE_VERSION}; {_again(folder)}"
        )
    return manifest


def open_images(folder: Path, manifest: dict[str, Any]) -> np.ndarray:
    """images.npy, memory-mapped copy-on-write: uint8 (N, size, size, 3). Raises UserError unless shape and
    file size match the manifest."""
    size_pixels = manifest["size_pixels"]
    shape = (manifest["image_count"], size_pixels, size_pixels, 3)
    return open_array(folder / IMAGES, shape, np.uint8, _again(folder))


def open_rectangles(folder: Path, sizes: np.ndarray) -> np.ndarray:
    """rectangles.npy, memory-mapped copy-on-write: uint8 (N, H, W, 4) with H and W the maxima of `sizes`,
    int64 [N, 2]. Raises UserError for anything else."""
    shape = (len(sizes), *sizes.max(axis=0).tolist(), 4)
    return open_array(folder / RECTANGLES, shape, np.uint8, _again(folder))


def open_array(path: Path, shape: tuple[int, ...], dtype: type[np.generic], remedy: str) -> np.ndarray:
    """The array in the file `path`, memory-mapped copy-on-write. Raises UserError, which ends with `remedy`,
    unless the file holds `shape` of `dtype` and nothing else."""
    try:
        check_regular(path)
        images = np.load(path, mmap_mode="c", allow_pickle=False)
        size_bytes = path.stat().st_size
    # numpy parses the header with Python's tokenizer and parser, which raise errors of many kinds.
    except Exception as error:
        raise UserError(f"{path} is missing or damaged ({error}); {remedy}") from error
    if images.shape != shape or images.dtype != dtype or size_bytes != images.offset + images.nbytes:
        kind = np.dtype(dtype).name
        raise UserError(f"{path} does not hold {kind} {shape} as its {MANIFEST} says; {remedy}")
    return images


def check_hashes(folder: Path, manifest: dict[str, Any]) -> None:
    """Raises UserError unless images and index have the hashes stated in the manifest.

    Images verified before and unchanged since are not hashed again (datasets/prepared/verified_files.py). The
    index is small and always hashed.
    """
    for name in (IMAGES, RECTANGLES):
        if name in manifest["sha256"] and not has_sha256(folder / name, manifest["sha256"][name]):
            raise _changed(folder, name)
    if not (folder / INDEX).is_file() or file_sha256(folder / INDEX) != manifest["sha256"][INDEX]:
        raise _changed(folder, INDEX)


def _changed(folder: Path, name: str) -> UserError:
    return UserError(
        f"{folder / name} does not match the hash in its {MANIFEST} (it was damaged or changed); "
        f"{_again(folder)}"
    )


def _again(folder: Path) -> str:
    """The remedy for an unusable store, for messages."""
    if "+" in folder.name:  # several sets as one (datasets/prepared/merged.py)
        return "remove it and run python -m platform.transfer --leave-one-out again, which rebuilds it."
    return f"prepare it again with {_command_of(folder)}."


def _command_of(folder: Path) -> str:
    """The command that prepares the store in `folder`, derived from its name."""
    from datasets.catalogue import describe

    match = re.fullmatch(r"(\w+)-(\d+)", folder.name)
    if match is None or folder.parent.name != "prepared":
        return "python -m platform.prepare"
    try:
        return prepare_command(folder.parent.parent, describe(match[1]).name, int(match[2]))
    except UserError:  # an unknown data set
        return "python -m platform.prepare"


def check_replaceable(folder: Path) -> None:
    """Raises UserError if `folder` holds anything but a store or the remains of a killed run."""
    if folder.exists():
        foreign = (
            sorted(
                entry.name
                for entry in folder.iterdir()
                # The preview is drawn when the store is complete, so a kill may leave part of it.
                if entry.name not in STORE_FILES and not is_temporary(entry.name, PREVIEW)
            )
            if folder.is_dir()
            else [folder.name]
        )
        if foreign:
            raise UserError(
                f"{folder} holds {', '.join(foreign[:5])}, which is not part of a store; move it away first."
            )


def check_space(folder: Path, image_count: int, size_pixels: int) -> None:
    """Raises UserError if the images do not fit on the disk of `folder`."""
    needed, free = image_count * size_pixels**2 * 3, shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{image_count} images of {size_pixels} pixels need {needed:,} bytes in {folder.parent}, "
            f"but {free:,} are free; free disk space or pass another --data-root."
        )


@contextmanager
def sole_writer(folder: Path, *, store: Path | None = None) -> Iterator[Path]:
    """A folder next to `folder`, held exclusively by a lock and removed afterwards.

    It survives a kill or Ctrl-C, so that the next writer can continue from it; an error removes it. A second
    writer of the same store, or of a layer of it, waits. The kernel releases the lock of a killed process.
    `store`: the store, where `folder` is one of its layers.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial")
    locked = folder if store is None else store
    with exclusive(locked.with_name(f".{locked.name}.lock")):
        partial.mkdir(exist_ok=True)
        try:
            yield partial
        except Exception:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        shutil.rmtree(partial, ignore_errors=True)


INDEX_COLUMNS = {
    "subject": "string",
    "sequence": "string",
    "frame": "int64",
    "expression": "string",
    "role": "string",
    "image": "string",
    "source": "string",
    "source_sha256": "string",
    "landmarks": "numbers",
    "transform": "numbers",
}
"""Columns of index.parquet and their types. `source` is relative to the raw data set's folder, `landmarks`
are x1, y1, ... in its pixels (null with --aligned), `transform` is the row-major 2 × 3 matrix from source to
aligned pixels."""


RECTANGLE_COLUMNS = {"height": "int64", "width": "int64"}
"""Further columns of stores with rectangles: their sizes in pixels."""


def write_index(path: Path, columns: Mapping[str, Sequence[object]]) -> None:
    """Write index.parquet."""
    write_table(path, columns, INDEX_COLUMNS | RECTANGLE_COLUMNS)


def write_table(path: Path, columns: Mapping[str, Sequence[object]], kinds: Mapping[str, str]) -> None:
    """Write the `columns` of the `kinds` (`string`, `int64` or `numbers`) to a Parquet file, in that order.

    Parquet files contain no timestamp, so equal columns give equal bytes.
    """
    import pyarrow
    import pyarrow.parquet

    types = {
        "string": pyarrow.string(),
        "int64": pyarrow.int64(),
        "numbers": pyarrow.list_(pyarrow.float64()),
    }
    table = pyarrow.table(
        {name: pyarrow.array(columns[name], types[kind]) for name, kind in kinds.items() if name in columns}
    )
    with path.open("wb") as file:
        pyarrow.parquet.write_table(table, file, compression="zstd", row_group_size=1 << 20)
        sync(file)


def read_table(path: Path, names: Sequence[str]) -> dict[str, list[Any]]:
    """The columns `names` of a Parquet file of ours."""
    import pyarrow.parquet

    # ParquetFile and to_pylist, because read_table and to_numpy spend seconds on importing pandas.
    with pyarrow.parquet.ParquetFile(path) as file:
        table = file.read(columns=list(names))
    return {name: table.column(name).to_pylist() for name in names}


def write_manifest(
    folder: Path,
    dataset: str,
    size_pixels: int,
    image_count: int,
    sha256: Mapping[str, str],
    notes: Mapping[str, object],
) -> None:
    """Write manifest.json, the last file of a store; `notes` are further entries on how it was made.

    sha256: hash of each file except the index.
    """
    manifest: dict[str, Any] = {
        **notes,
        "format": "prepared-store",
        "recipe_version": RECIPE_VERSION,
        "dataset": dataset,
        "size_pixels": size_pixels,
        "image_count": image_count,
        "sha256": {**sha256, INDEX: file_sha256(folder / INDEX)},
        "created_by": "python -m platform.prepare",
    }
    manifest["hash"] = manifest_hash(manifest)
    write_synced(folder / MANIFEST, (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode())


def put_in_place(partial: Path, folder: Path) -> None:
    """Rename `partial` to `folder`, unless an equal, valid store is already there."""
    if _same_and_sound(partial, folder):
        return
    LOCAL.replace_folder(partial, folder)


def _same_and_sound(partial: Path, folder: Path) -> bool:
    """Whether `folder` is a valid store with the bytes of `partial`, verified by hashes."""
    try:
        manifest = read_manifest(folder)
        check_hashes(folder, manifest)
        return read_bytes(partial / MANIFEST) == read_bytes(folder / MANIFEST)
    except (OSError, UserError):
        return False
