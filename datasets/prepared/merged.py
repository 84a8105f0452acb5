"""Several prepared sets as one, so that each of them can be left out as the test set.

The merged store is a prepared store like any other, beside those of its sets: `ckplus+mmi-320`. Names of
subjects and sequences begin with their set's (`ckplus:S005`), because two sets may use the same ones. It
follows from its sets alone, so it is made again whenever one of them was.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from datasets.catalogue import describe, share_people
from datasets.prepared import store_files
from datasets.prepared.store import PreparedStore, open_prepared, store_folder
from datasets.prepared.store_writer import FrameSource, Progress, Recipe, write_prepared
from datasets.records import FrameRecord
from platform.errors import UserError
from platform.files.dry_run import is_dry_run

SET_SEPARATOR = "+"
SUBJECT_SEPARATOR = ":"


def set_of_subject(subject: str) -> str:
    """The data set of a merged store's subject: `ckplus` of `ckplus:S005`."""
    return subject.partition(SUBJECT_SEPARATOR)[0]


def sets_of(dataset: str) -> tuple[str, ...]:
    """The names in a merged store's name, in their order: the fold that tests a set has its index."""
    return tuple(dataset.split(SET_SEPARATOR))


def merged_store(
    data_root: Path, names: Sequence[str], size_pixels: int, *, progress: Progress | None = None
) -> PreparedStore:
    """The store of all images of several prepared sets, in their order of name; written where it is not
    there, or where one of them has changed since. A dry run plans it in memory instead.

    Raises UserError for fewer than two sets, one that is there twice, is unknown or not prepared.
    """
    ordered = sorted(names)
    twice = sorted({name for name in ordered if ordered.count(name) > 1})
    if twice:
        raise UserError(f"each data set stands once, but {twice[0]} is there twice; remove one.")
    if len(ordered) < 2:
        raise UserError(
            f"leaving one data set out needs two or more, but got {', '.join(ordered) or 'none'}; "
            "name another."
        )
    parts = {name: open_prepared(data_root, name, size_pixels) for name in ordered}
    dataset = SET_SEPARATOR.join(ordered)
    folder = store_folder(data_root, dataset, size_pixels)
    if _is_made_of(folder, parts):
        return PreparedStore.open(folder)
    _check_people(parts)
    records = _records(parts)
    if is_dry_run():
        return PreparedStore.planned(folder, dataset, size_pixels, records)
    source = _source(parts)
    # Aligned already: a crop of the wanted size is stored as it is.
    recipe = Recipe(size_pixels=size_pixels, aligned=True, notes={"parts": _hashes(parts)})
    return write_prepared(folder, dataset, records, source, recipe, progress=progress)


def _check_people(parts: Mapping[str, PreparedStore]) -> None:
    """UserError where two sets may have people in common, or do have the same image."""
    for one, other in itertools.combinations(parts, 2):
        if share_people(one, other):
            raise UserError(
                f"sets that take turns must show other people, but {describe(one).title} and "
                f"{describe(other).title} may show the same; leave one of them out."
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
                    f"sets that take turns must show other people, but {name}{SUBJECT_SEPARATOR}{image_name} "
                    f"is the same image as {there}; leave one of the two sets out."
                )


def _hashes(parts: Mapping[str, PreparedStore]) -> dict[str, str]:
    return {name: store.hash for name, store in parts.items()}


def _is_made_of(folder: Path, parts: Mapping[str, PreparedStore]) -> bool:
    """Whether the store is there, whole, and made of these sets as they are now."""
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
