"""Prepared sets of a smaller size, resized from a larger one of the same data set.

Resizing reads no raw data, so a set that was prepared once, at the size of the paper, also serves presets
of smaller images. A resized set is a prepared set like any other; its manifest, and so its hash, names the
set that it was made of, and it is written again if that one changed. Faces are averaged over areas, so their
last bits differ from those of a set that is prepared at the smaller size directly.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from datasets.prepared import store_files
from datasets.prepared.face_chunks import FrameSource, Progress, Recipe
from datasets.prepared.prepared_sizes import RESIZED_FROM, larger_size
from datasets.prepared.store import PreparedStore, records_of, store_folder
from datasets.prepared.store_writer import write_prepared
from datasets.records import FrameRecord


def resize_if_larger(
    data_root: Path, dataset: str, size_pixels: int, *, progress: Progress | None = None
) -> PreparedStore | None:
    """The resized store of `dataset` at `size_pixels`, written unless it is there.

    None, and nothing is written: the set was prepared at that size itself, or at no larger one. UserError as
    `PreparedStore.open` for the larger one, and as `write_prepared`.
    """
    folder = store_folder(data_root, dataset, size_pixels)
    found = larger_size(data_root, dataset, size_pixels)
    if found is None:
        return None
    larger = PreparedStore.open(store_folder(data_root, dataset, found))
    origin = {"hash": larger.hash, "size_pixels": larger.size_pixels}
    if _is_made_of(folder, origin):
        return PreparedStore.open(folder)
    place = {image: index for index, image in enumerate(larger.image_names.tolist())}

    def read_frame(record: FrameRecord) -> np.ndarray:
        face = np.array(larger.images[place[record.image_name]])
        return cv2.resize(face, (size_pixels, size_pixels), interpolation=cv2.INTER_AREA)

    source = FrameSource(
        read_frame=read_frame,
        sha256=lambda record: larger.hash,
        stamp=lambda record: [int(larger.hash[:12], 16)],
    )
    # Already aligned: a face of the wanted size is stored unchanged.
    recipe = Recipe(size_pixels=size_pixels, aligned=True, notes={RESIZED_FROM: origin})
    return write_prepared(
        folder, dataset, records_of(larger), source, recipe, own_classes=True, progress=progress
    )


def _is_made_of(folder: Path, origin: dict[str, object]) -> bool:
    """Whether the store was made of the larger one in its present state."""
    if not (folder / store_files.MANIFEST).exists():
        return False
    return bool(store_files.read_manifest(folder).get(RESIZED_FROM) == origin)
