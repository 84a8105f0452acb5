"""Prepared sets below a data root: how many images, how large, and which cannot be used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from platform.diagnosis.finding import Finding, value_and_remedy
from platform.diagnosis.ray_place import gibibytes
from platform.errors import UserError

NAME = "prepared set"


def prepared_sets(data_root: Path) -> Iterator[Finding]:
    """A finding for each prepared set. Contents are not hashed: every command does that when it opens one."""
    from datasets.prepared.store_files import read_manifest

    folder = data_root / "prepared"
    names = sorted(os.listdir(folder)) if folder.is_dir() else []
    stores = [folder / name for name in names if not name.startswith(".") and (folder / name).is_dir()]
    if not stores:
        value = f"none in {folder}; the synthetic sets are drawn when needed"
        yield Finding("ok", NAME, value)
    for store in stores:
        try:
            manifest = read_manifest(store)
        except UserError as error:
            yield Finding("warning", NAME, *value_and_remedy(error))
            continue
        yield _judged(store, manifest["image_count"], manifest["size_pixels"])


def _judged(store: Path, count: int, size_pixels: int) -> Finding:
    images = store / "images.npy"
    size = images.stat().st_size if images.is_file() else 0
    if size < count * size_pixels**2 * 3:
        value = f"{store}: images.npy is missing or too short for {count:,} images"
        return Finding("warning", NAME, value, "prepare it again (python -m platform.prepare --help)")
    whole = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    return Finding("ok", NAME, f"{store}: {count:,} images of {size_pixels} px, {gibibytes(whole)}")
