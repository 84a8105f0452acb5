"""The files of a prepared store: written whole or not at all, and read strictly.

Everything is written to a folder beside the store's, which takes the store's name when it is
complete. A killed run leaves that folder behind; the next one starts it afresh.
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
"""Raised with every change to frame selection, alignment or format that can change a byte."""

IMAGES, INDEX, MANIFEST, PREVIEW = "images.npy", "index.parquet", "manifest.json", "preview.png"
RECTANGLES = "rectangles.npy"
"""Of stores made with `--resample released` alone (datasets/prepared/released_resample.py)."""
STORE_FILES = frozenset({IMAGES, RECTANGLES, INDEX, MANIFEST, PREVIEW})


def manifest_hash(manifest: dict[str, Any]) -> str:
    """SHA-256 of all the manifest's fields but `hash`, as canonical JSON."""
    fields = {key: value for key, value in manifest.items() if key != "hash"}
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the store in `folder`. Raises UserError where there is no sound store."""
    path = folder / MANIFEST
    if not folder.is_dir():
        raise UserError(f"there is no prepared store at {folder}; make it with {_command_of(folder)}.")
    if not path.is_file():
        raise UserError(f"the store {folder} is half-written (no {MANIFEST}); {_again(folder)}")
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
    """images.npy, memory-mapped copy-on-write. Raises UserError unless shape and size are the manifest's."""
    size_pixels = manifest["size_pixels"]
    return _open_array(folder, IMAGES, (manifest["image_count"], size_pixels, size_pixels, 3))


def open_rectangles(folder: Path, sizes: np.ndarray) -> np.ndarray:
    """rectangles.npy, memory-mapped copy-on-write: canvases uint8 (N, H, W, 4) as large as the largest of
    `sizes`, int64 [N, 2]. Raises UserError for anything else."""
    return _open_array(folder, RECTANGLES, (len(sizes), *sizes.max(axis=0).tolist(), 4))


def _open_array(folder: Path, name: str, shape: tuple[int, ...]) -> np.ndarray:
    path = folder / name
    try:
        check_regular(path)
        images = np.load(path, mmap_mode="c", allow_pickle=False)
        size_bytes = path.stat().st_size
    # numpy parses the header with Python's own tokenizer and parser, whose errors are of many kinds.
    except Exception as error:
        raise UserError(f"{path} is missing or damaged ({error}); {_again(folder)}") from error
    if images.shape != shape or images.dtype != np.uint8 or size_bytes != images.offset + images.nbytes:
        raise UserError(f"{path} does not hold uint8 {shape} as its {MANIFEST} says; {_again(folder)}")
    return images


def check_hashes(folder: Path, manifest: dict[str, Any]) -> None:
    """Raises UserError unless images and index have the hashes that the manifest gives.

    Images that were found to have theirs, and are unchanged since, are not hashed again
    (datasets/prepared/verified_files.py); the index, on which everything rests, always is: it is small.
    """
    for name in (IMAGES, RECTANGLES):
        if name in manifest["sha256"] and not has_sha256(folder / name, manifest["sha256"][name]):
            raise _changed(folder, name)
    if not (folder / INDEX).is_file() or file_sha256(folder / INDEX) != manifest["sha256"][INDEX]:
        raise _changed(folder, INDEX)


def _changed(folder: Path, name: str) -> UserError:
    return UserError(
        f"{folder / name} is not the file that its {MANIFEST} names (it was damaged or changed); "
        f"{_again(folder)}"
    )


def _again(folder: Path) -> str:
    """The remedy for a store that cannot be used."""
    if "+" in folder.name:  # several sets as one (datasets/prepared/merged.py)
        return "remove it and run python -m platform.transfer --leave-one-out again, which makes it anew."
    return f"prepare it again with {_command_of(folder)}."


def _command_of(folder: Path) -> str:
    """The command that prepares the store in `folder`, as far as its name tells."""
    from datasets.catalogue import describe

    match = re.fullmatch(r"(\w+)-(\d+)", folder.name)
    if match is None or folder.parent.name != "prepared":
        return "python -m platform.prepare"
    try:
        return prepare_command(folder.parent.parent, describe(match[1]).name, int(match[2]))
    except UserError:  # a data set that there is not
        return "python -m platform.prepare"


def check_replaceable(folder: Path) -> None:
    """A store, or what a killed run left of one, may be replaced; anything else is not ours."""
    if folder.exists():
        foreign = (
            sorted(
                entry.name
                for entry in folder.iterdir()
                # The preview is painted when the store is whole: a kill may leave part of it.
                if entry.name not in STORE_FILES and not is_temporary(entry.name, PREVIEW)
            )
            if folder.is_dir()
            else [folder.name]
        )
        if foreign:
            raise UserError(
                f"{folder} holds {', '.join(foreign[:5])}, which is no part of a store; move that away first."
            )


def check_space(folder: Path, image_count: int, size_pixels: int) -> None:
    """Raises UserError where the images cannot fit on the disk of `folder`."""
    needed, free = image_count * size_pixels**2 * 3, shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{image_count} images of {size_pixels} pixels need {needed:,} bytes in {folder.parent}, "
            f"but {free:,} are free; make room or pass another --data-root."
        )


@contextmanager
def sole_writer(folder: Path) -> Iterator[Path]:
    """A folder beside `folder`, ours alone while we hold its lock; gone afterwards.

    It stays after a kill or Ctrl-C, with what the next writer can go on from; an error removes it.
    A second writer of the same store waits. The kernel drops the lock of a killed process.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial")
    with exclusive(folder.with_name(f".{folder.name}.lock")):
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
"""Columns of index.parquet and their types; `source` is relative to the raw data set's folder,
`landmarks` are x1, y1, ... in its pixels (null for --aligned), `transform` is the row-major 2 × 3
matrix from source to aligned pixels."""


RECTANGLE_COLUMNS = {"height": "int64", "width": "int64"}
"""Further columns of stores with rectangles: the pixels of each."""


def write_index(path: Path, columns: Mapping[str, Sequence[object]]) -> None:
    """Write index.parquet. Parquet files carry no time, so equal columns give equal bytes."""
    import pyarrow
    import pyarrow.parquet

    types = {
        "string": pyarrow.string(),
        "int64": pyarrow.int64(),
        "numbers": pyarrow.list_(pyarrow.float64()),
    }
    table = pyarrow.table(
        {
            name: pyarrow.array(columns[name], types[kind])
            for name, kind in (INDEX_COLUMNS | RECTANGLE_COLUMNS).items()
            if name in columns
        }
    )
    with path.open("wb") as file:
        pyarrow.parquet.write_table(table, file, compression="zstd", row_group_size=1 << 20)
        sync(file)


def write_manifest(
    folder: Path,
    dataset: str,
    size_pixels: int,
    image_count: int,
    sha256: Mapping[str, str],
    notes: Mapping[str, object],
) -> None:
    """Write manifest.json, the last file of a store; `notes` says more of how it was made.

    sha256: of each file but the index.
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
    """Give `partial` the name `folder`, unless an equal store has it already and is sound."""
    if _same_and_sound(partial, folder):
        return
    LOCAL.replace_folder(partial, folder)


def _same_and_sound(partial: Path, folder: Path) -> bool:
    """Whether `folder` is a store with the bytes of `partial`, proven by its hashes."""
    try:
        manifest = read_manifest(folder)
        check_hashes(folder, manifest)
        return read_bytes(partial / MANIFEST) == read_bytes(folder / MANIFEST)
    except (OSError, UserError):
        return False
