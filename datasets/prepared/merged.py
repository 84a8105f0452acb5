"""Merged prepared sets, for leaving one data set out as the test set.

A merged set is a prepared set like any other, in a folder next to its parts: `ckplus+mmi-320`. Names of
subjects and sequences begin with the name of their data set (`ckplus:S005`), because two data sets may use
the same names. It depends on its parts alone, and is written again if one of them changed.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from datasets.catalogue import describe, share_people
from datasets.prepared import store_files
from datasets.prepared.face_chunks import FrameSource, Progress, Recipe
from datasets.prepared.merged_names import SET_SEPARATOR, SUBJECT_SEPARATOR, set_of_subject
from datasets.prepared.store import PreparedStore, open_prepared, store_folder
from datasets.prepared.store_writer import write_prepared
from datasets.records import FrameRecord
from platform.errors import UserError
from platform.files.dry_run import is_dry_run


def merged_store(
    data_root: Path, names: Sequence[str], size_pixels: int, *, progress: Progress | None = None
) -> PreparedStore:
    """The store of all images of several prepared sets, sorted by name.

    Written if it does not exist or one of the sets has changed since; a dry run plans it in memory instead.
    Raises UserError for fewer than two sets, and for a set that is listed twice, unknown or not prepared.
    """
    ordered = sorted(names)
    twice = sorted({name for name in ordered if ordered.count(name) > 1})
    if twice:
        raise UserError(f"duplicate data set {twice[0]}; list each data set once.")
    if len(ordered) < 2:
        raise UserError(
            f"leaving one data set out needs two or more, but got {', '.join(ordered) or 'none'}; "
            "add another."
        )
    parts = {name: open_prepared(data_root, name, size_pixels) for name in ordered}
    _check_names(parts)
    dataset = SET_SEPARATOR.join(ordered)
    folder = store_folder(data_root, dataset, size_pixels)
    if _is_made_of(folder, parts):
        return PreparedStore.open(folder)
    _check_people(parts)
    records = _records(parts)
    if is_dry_run():
        return PreparedStore.planned(folder, dataset, size_pixels, records)
    source = _source(parts)
    # Already aligned: a crop of the wanted size is stored unchanged.
    recipe = Recipe(size_pixels=size_pixels, aligned=True, notes={"parts": _hashes(parts)})
    return write_prepared(folder, dataset, records, source, recipe, own_classes=True, progress=progress)


def _check_names(parts: Mapping[str, PreparedStore]) -> None:
    """Raises UserError for a subject of an unnamed folder that would be taken for a named one's."""
    store = parts.get("folder")
    taken = [] if store is None else [one for one in store.subjects.tolist() if SUBJECT_SEPARATOR in one]
    if taken:
        raise UserError(
            f"subjects of a folder that is tested in turn must have no {SUBJECT_SEPARATOR!r} in their names, "
            f"but {taken[0]} has; prepare the folder under a name of its own (--dataset folder:NAME)."
        )


def _check_people(parts: Mapping[str, PreparedStore]) -> None:
    """Raises UserError if two sets may show the same people or contain the same image."""
    for one, other in itertools.combinations(parts, 2):
        if share_people(one, other):
            raise UserError(
                f"data sets that take turns as test set must show different people, but "
                f"{describe(one).title} and {describe(other).title} may show the same; remove one of them."
            )
    seen: dict[bytes, str] = {}
    for name, store in parts.items():
        if not store.is_prepared:
            continue
        for image, image_name in zip(store.images, store.image_names.tolist(), strict=True):
            digest = hashlib.blake2b(image.tobytes(), digest_size=16).digest()
            there = seen.setdefault(digest, f"{name}{SUBJECT_SEPARATOR}{image_name}")
            if set_of_subject(there) != name:
                raise UserError(
                    "data sets that take turns as test set must show different people, but "
                    f"{name}{SUBJECT_SEPARATOR}{image_name} is the same image as {there}; remove one of the "
                    "two data sets."
                )


def _hashes(parts: Mapping[str, PreparedStore]) -> dict[str, str]:
    return {name: store.hash for name, store in parts.items()}


def _is_made_of(folder: Path, parts: Mapping[str, PreparedStore]) -> bool:
    """Whether the store exists, is complete, and was made of these sets in their present state."""
    try:
        manifest = store_files.read_manifest(folder)
        if manifest.get("parts") != _hashes(parts):
            return False
        store_files.open_images(folder, manifest)
        store_files.check_hashes(folder, manifest)
    except UserError:
        return False
    return True


def _records(parts: Mapping[str, PreparedStore]) -> list[FrameRecord]:
    return [
        FrameRecord(
            subject_id=f"{name}{SUBJECT_SEPARATOR}{store.subjects[index]}",
            sequence_id=f"{name}{SUBJECT_SEPARATOR}{store.sequences[index]}",
            frame=int(store.frames[index]),
            expression=str(store.expressions[index]),
            role=str(store.roles[index]),  # type: ignore[arg-type]  # checked when the set was prepared
            source=f"{store.folder.name}/{store.image_names[index]}",
            landmarks=None,
        )
        for name, store in parts.items()
        for index in range(len(store.images))
    ]


def _source(parts: Mapping[str, PreparedStore]) -> FrameSource:
    place = {
        f"{store.folder.name}/{image}": (name, index)
        for name, store in parts.items()
        for index, image in enumerate(store.image_names.tolist())
    }

    def read_frame(record: FrameRecord) -> np.ndarray:
        name, index = place[record.source]
        return np.array(parts[name].images[index])

    def part_hash(record: FrameRecord) -> str:
        return parts[place[record.source][0]].hash

    def stamp(record: FrameRecord) -> list[int]:
        return [int(part_hash(record)[:12], 16)]

    return FrameSource(read_frame=read_frame, sha256=part_hash, stamp=stamp)
