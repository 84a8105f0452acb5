"""Data sets of a command, resized from a larger prepared set where one is there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def resize_sets(datasets: Iterable[str], data_root: Path, size_pixels: int) -> None:
    """Resize each set that is prepared at a larger size only, and say so. A dry run resizes nothing.

    Embedded sets are drawn at any size instead. UserError as `resize_if_larger`.
    """
    from datasets.catalogue import describe
    from datasets.prepared.prepared_sizes import larger_size
    from platform.cli.progress_line import ProgressLine
    from platform.files.dry_run import is_dry_run

    if is_dry_run():
        return
    for dataset in dict.fromkeys(datasets):
        if describe(dataset).embedded:
            continue
        larger = larger_size(data_root, dataset, size_pixels)
        if larger is None:
            continue
        from datasets.prepared.resized import resize_if_larger

        print(f"{dataset} at {size_pixels} px: resized from the set at {larger} px", flush=True)
        resize_if_larger(data_root, dataset, size_pixels, progress=ProgressLine(f"resized {dataset}"))
