"""The sizes at which a data set is prepared."""

from __future__ import annotations

from pathlib import Path

from datasets.catalogue import file_name
from datasets.prepared import store_files

RESIZED_FROM = "resized_from"
"""Entry of a manifest: hash and size of the larger set that a set was resized from."""


def prepared_sizes(data_root: Path, dataset: str) -> tuple[int, ...]:
    """The sizes in pixels at which `dataset` is prepared or was resized to, ascending."""
    start = f"{file_name(dataset)}-"
    folders = (data_root / "prepared").glob(f"{start}*")
    sizes = [one.name.removeprefix(start) for one in folders if (one / store_files.MANIFEST).exists()]
    return tuple(sorted(int(size) for size in sizes if size.isdigit()))


def larger_size(data_root: Path, dataset: str, size_pixels: int) -> int | None:
    """The smallest size above `size_pixels` at which `dataset` was prepared itself, from which a set of
    `size_pixels` can be resized; None: there is none, or the set was prepared at `size_pixels` itself."""
    start = data_root / "prepared" / file_name(dataset)
    whole = [
        size
        for size in prepared_sizes(data_root, dataset)
        if size >= size_pixels
        and RESIZED_FROM not in store_files.read_manifest(start.with_name(f"{start.name}-{size}"))
    ]
    return whole[0] if whole and whole[0] > size_pixels else None
